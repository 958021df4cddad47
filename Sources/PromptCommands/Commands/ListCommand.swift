import ArgumentParser
import PromptQueue

struct ListCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List jobs, the newest first.",
        aliases: ["ls"]
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var filters: FilterOptions
    @OptionGroup var format: JSONOption

    @Option(help: "At most so many.")
    var limit = 50

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit: \(limit) is not at least 1.") }
    }

    func run() throws {
        let console = Console.current
        try database.open { file in
            if format.json {
                var isEmpty = true
                try file.forEachJob(matching: filters.filter, limit: limit) { job in
                    isEmpty = false
                    console.print(JSONValue.object(job.object).json)
                }
                if isEmpty, let unknown = try KnownNames.problem(queue: filters.queue, batch: filters.batch, file) {
                    console.say(unknown)
                }
            } else {
                try list(file, console)
            }
        }
    }

    private func list(_ file: any QueueClient, _ console: Console) throws {
        var jobs: [JobRecord] = []
        try file.forEachJob(matching: filters.filter, limit: limit) { jobs.append($0) }
        guard !jobs.isEmpty else {
            let unknown = try KnownNames.problem(queue: filters.queue, batch: filters.batch, file)
            console.say(unknown ?? (filters.filter.isEmpty ? "no jobs yet; promptctl add makes one" : "no job matches"))
            return
        }
        let hasFiles = jobs.contains { !$0.files.isEmpty }
        var columns = [
            Table.Column(title: "ID", alignment: .right), .init(title: "STATE"),
            .init(title: "CREDITS", alignment: .right), .init(title: "TIME", alignment: .right),
            .init(title: "PROMPT", isFlexible: true),
        ]
        if hasFiles { columns.append(.init(title: "FILE", isFlexible: true)) }
        var table = Table(columns)
        for job in jobs {
            var cells = [
                Table.Cell(text: "\(job.id)"), .init(text: job.state.rawValue, style: job.state.style),
                .init(text: credits(job)), .init(text: time(job, console)),
                .init(text: job.prunedAt == nil ? oneLine(job.prompt ?? job.input) : "(pruned)"),
            ]
            if hasFiles {
                let more = job.files.count > 1 ? " +\(job.files.count - 1)" : ""
                cells.append(.init(text: oneLine(job.files.first ?? "–") + more))
            }
            table.add(cells)
        }
        let width = console.isOutputTerminal ? console.columns : nil
        for line in table.lines(width: width, hasColour: console.hasColour) { console.print(line) }
        if jobs.count == limit {
            console.say("the newest \(grouped(limit)); --limit shows more")
        }
    }

    /// What was charged, else the estimate with a tilde.
    private func credits(_ job: JobRecord) -> String {
        if let charged = job.charged { return charged.grouped }
        return job.estimated.map { "~\($0.grouped)" } ?? "–"
    }

    /// From the first request to the end, or until now.
    private func time(_ job: JobRecord, _ console: Console) -> String {
        guard let submitted = job.submittedAt, job.state != .queued else { return "–" }
        let end = job.finishedAt ?? console.now()
        return max(.zero, end - submitted).inWords
    }
}

/// `--state --queue --batch --model --label`.
struct FilterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("\(JobState.names). Repeatable, or with commas.", valueName: "state"),
        completion: .list(JobState.allCases.map(\.rawValue)),
        transform: JobState.list
    )
    var state: [Set<JobState>] = []

    @Option(help: "Only of this queue.")
    var queue: String?

    @Option(help: "Only of this batch.")
    var batch: String?

    @Option(help: "Only for this model.")
    var model: String?

    @Option(help: ArgumentHelp("Only with this label. Repeatable.", valueName: "key=value"))
    var label: [KeyValue] = []

    @Option(help: ArgumentHelp("Only with this error, like content_refused.", valueName: "code"))
    var error: String?

    var filter: JobFilter {
        var filter = JobFilter()
        filter.states = state.reduce(into: []) { $0.formUnion($1) }
        filter.queue = queue
        filter.batch = batch
        filter.model = model
        filter.errorCode = error
        filter.labels = Dictionary(label.map { ($0.key, $0.value) }) { $1 }
        return filter
    }
}

extension JobState {
    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// Reads `failed,cancelled`.
    static func list(_ text: String) throws -> Set<JobState> {
        try text.split(separator: ",").reduce(into: []) { states, name in
            guard let state = JobState(rawValue: String(name)) else {
                throw ValidationError("\"\(name)\" is no state; there are \(names).")
            }
            states.insert(state)
        }
    }
}

extension JobID: ExpressibleByArgument {
    package init?(argument: String) {
        guard let id = Int64(argument), id > 0 else { return nil }
        self.init(id)
    }
}
