import ArgumentParser
import PromptQueue

struct EventsCommand: AsyncParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what becomes of jobs, in order; live with --follow.",
        discussion: """
            Each change of a job's state has a number; --after goes on where somebody has read to. Without it the last 50 \
            are shown, and with --follow only what comes from now on. Events are kept for 30 days, or a million of them, or \
            as long as their jobs: if some that were asked for are gone, that is said, with --json as \
            {"removed_through":NUMBER} in the first line.

            promptctl events -b spring-sale
            promptctl events --follow --state succeeded,failed --json
            promptctl events --follow --after 8120 --json
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var format: JSONOption

    @Flag(name: .shortAndLong, help: "Go on with what comes, until interrupted.")
    var follow = false

    @Option(help: ArgumentHelp("Only events after this one.", valueName: "sequence"))
    var after: Int64?

    @Option(help: ArgumentHelp("Only of this job.", valueName: "id"))
    var job: JobID?

    @Option(
        help: ArgumentHelp("Only changes to these: \(JobState.names). Repeatable, or with commas.", valueName: "state"),
        completion: .list(JobState.allCases.map(\.rawValue)),
        transform: JobState.list
    )
    var state: [Set<JobState>] = []

    @Option(name: .shortAndLong, help: "Only of this queue.", completion: .queues)
    var queue: String?

    @Option(name: .shortAndLong, help: "Only of this batch.", completion: .batches)
    var batch: String?

    @Option(help: "At most so many; with --follow it ends after them.")
    var limit: Int?

    func validate() throws {
        if let limit, limit <= 0 { throw ValidationError("--limit: \(limit) is not at least 1.") }
        if let after, after < 0 { throw ValidationError("--after: \(after) is not at least 0.") }
    }

    func run() async throws {
        let console = Console.current
        try await database.open { file in
            try await Following(file: file, query: query, console: console, printsJSON: format.json)
                .run(follow: follow, limit: limit)
        }
    }

    private var query: EventQuery {
        var query = EventQuery(after: after.map(EventSequence.init), limit: limit ?? 50)
        query.job = job
        query.states = state.reduce(into: []) { $0.formUnion($1) }
        query.queue = queue
        query.batch = batch
        return query
    }
}

/// Prints events, and those that come; looks when the database has changed and not oftener.
struct Following {
    let file: any QueueClient
    let query: EventQuery
    let console: Console
    let printsJSON: Bool

    private static let page = 1_000
    private static let pause: Duration = .milliseconds(150)

    func run(follow: Bool, limit: Int?) async throws {
        let range = try file.eventRange()
        try check(range)
        guard follow || query.after != nil else { return try file.events(query).forEach(print) }
        var left = limit ?? .max
        var cursor = query.after ?? range.latest
        var version: Int64 = -1
        while true {
            let found = try file.dataVersion()
            if found != version {
                version = found
                (cursor, left) = try read(after: cursor, left)
            }
            guard follow, left > 0, console.isOutputOpen() else { return }
            try await console.sleep(Self.pause)
        }
    }

    /// Prints all that there are now.
    private func read(after: EventSequence, _ most: Int) throws -> (EventSequence, left: Int) {
        // What comes while it is printed is for the next look: what does not match is passed over only up to here.
        let latest = try file.eventRange().latest
        var (cursor, left) = (after, most)
        while left > 0 {
            var query = query
            query.after = cursor
            query.limit = min(left, Self.page)
            let events = try file.events(query)
            events.forEach(print)
            left -= events.count
            cursor = events.last?.sequence ?? cursor
            guard events.count == query.limit else { return (max(cursor, latest), left) }
        }
        return (cursor, left)
    }

    /// - Throws: `CommandError` for a number that no event has had: it is of another database, or of a time that a restored copy
    ///   does not know.
    private func check(_ range: EventRange) throws {
        guard let after = query.after else { return }
        guard after <= range.latest else {
            throw CommandError(
                .badData,
                "--after: there is no event \(after) yet, the last is \(range.latest): is it a number of another database, or "
                    + "of before a backup was restored?"
            )
        }
        guard after < range.removed else { return }
        if printsJSON {
            console.print(JSONValue.object(["removed_through": .integer(range.removed.rawValue)]).json)
        }
        console.say("some events after \(after) have been removed, up to \(range.removed); what is left is shown")
    }

    private func print(_ event: JobEvent) {
        console.print(printsJSON ? JSONValue.object(event.object).json : line(event))
    }

    private func line(_ event: JobEvent) -> String {
        let state = console.hasColour ? event.state.style?.apply(to: event.state.rawValue) : nil
        let change = (event.previous.map { "\($0.rawValue) -> " } ?? "") + (state ?? event.state.rawValue)
        let time = "\(console.date(event.at)) \(console.clockTime(event.at)) \(console.zone(event.at))"
        var parts = ["\(event.sequence)", time, "job \(event.job)", change, "queue \(oneLine(event.queue))"]
        if let batch = event.batch { parts.append("batch \(oneLine(batch))") }
        if let code = event.errorCode, event.state != .succeeded { parts.append(oneLine(code)) }
        return parts.joined(separator: "  ")
    }
}

extension JobEvent {
    /// The columns under their own names; the instant as ISO 8601.
    var object: JSONObject {
        [
            "sequence": .integer(sequence.rawValue),
            "job_id": .integer(job.rawValue),
            "previous_state": JSONValue(previous?.rawValue),
            "state": .string(state.rawValue),
            "queue": .string(queue),
            "batch": JSONValue(batch),
            "error_code": JSONValue(errorCode),
            "at": .string(at.iso8601),
        ]
    }
}
