import PromptQueue

/// How one batch stands: its counts, its credits, and when it will be done.
struct BatchStatus {
    let name: String
    let tally: JobTally
    let charged: Credits
    /// What its jobs are expected to cost that have not ended.
    let toCome: Credits
    /// Jobs that have not ended and have no estimate yet: those that were added by SQL.
    let unpriced: Int
    let failures: [String: Int]
    /// Why its queues wait.
    let holds: [String]
    let isDaemonRunning: Bool
    /// By when all of it should be done, at the latest; nil if that cannot be told, or if all of it is.
    let expectedBy: Instant?

    /// - Throws: `CommandError` for a batch that is not there.
    init(_ name: String, _ file: any QueueClient, now: Instant) throws {
        let group = JobGroup.batch(name)
        self.name = name
        tally = try file.tally(of: group)
        guard tally.total > 0 else {
            throw CommandError(.badData, KnownNames.sentence("batch", name, try file.batches(limit: 1_000), nil))
        }
        charged = try file.charged(to: group)
        (toCome, unpriced) = try file.outstanding(of: group)
        failures = try file.failures(of: group)
        isDaemonRunning = file.daemonProcessID != nil
        holds = try file.holds(of: group).filter { !$0.reason.isOrdinary }
            .map { oneLine("\($0.queue) waits: \($0.reason.rawValue)" + ($0.message.map { ": \($0)" } ?? "")) }
        expectedBy = isDaemonRunning ? try Self.end(of: name, tally, file, now: now) : nil
    }

    /// Of what waits the last one added tells most: what has its priority and came before goes first.
    private static func end(
        of name: String,
        _ tally: JobTally,
        _ file: any QueueClient,
        now: Instant
    ) throws -> Instant? {
        guard let state = [JobState.queued, .running].first(where: { tally[$0] > 0 }) else { return nil }
        var filter = JobFilter()
        filter.batch = name
        filter.states = [state]
        var last: JobRecord?
        try file.forEachJob(matching: filter, limit: 1) { last = $0 }
        guard let last else { return nil }
        if state == .running { return try file.details(of: last.id)?.running?.end(0.9, now: now) }
        let status = try Status(file, now: now, sample: 1_000)
        return status.forecast.latest(for: last, in: status.record, now: now)
    }

    /// For people.
    func lines(_ console: Console) -> [String] {
        let head = "batch \(oneLine(name)): \(grouped(tally.finished)) of \(count(tally.total, "job")) ended"
        let states: [(String, JobState, Style?)] = [
            ("QUEUED", .queued, nil), ("RUNNING", .running, nil),
            ("DONE", .succeeded, nil), ("FAILED", .failed, .bad), ("CANCELLED", .cancelled, nil),
            ("UNCONFIRMED", .unconfirmed, .warning),
        ]
        var table = Table(states.map { Table.Column(title: $0.0, alignment: .right) })
        table.add(
            states.map { _, state, style in
                // What is being sent runs in a moment.
                let jobs = tally[state] + (state == .running ? tally[.submitting] : 0)
                return .init(text: grouped(jobs), style: jobs > 0 ? style : nil)
            }
        )
        let width = console.isOutputTerminal ? console.columns : nil
        return console.wrapped(head) + table.lines(width: width, hasColour: console.hasColour) + [""]
            + facts(console).flatMap(console.wrapped)
    }

    private func facts(_ console: Console) -> [String] {
        var credits = "credits   \(charged.grouped) charged"
        if tally.finished < tally.total { credits += ", about \(toCome.grouped) to come" }
        if unpriced > 0 {
            credits += " (without \(count(unpriced, "job")) that \(unpriced == 1 ? "has" : "have") no estimate yet)"
        }
        var lines = [credits]
        if let expectedBy {
            lines.append(
                "done      by about \(console.time(expectedBy)) at the latest, if nothing of a higher priority comes"
            )
        }
        if let line = JobTally.sentence(of: failures) { lines.append("errors    \(line)") }
        if let job = tally.firstUnconfirmed {
            let verb = tally[.unconfirmed] == 1 ? "is" : "are"
            lines.append("          \(count(tally[.unconfirmed], "job")) \(verb) unconfirmed: promptctl show \(job)")
        }
        lines += holds.map { "          \($0)" }
        if !isDaemonRunning, tally.finished < tally.total {
            lines.append("          promptd is not running: nothing is submitted until it is started")
        }
        return lines
    }

    /// For programs.
    var object: JSONObject {
        var object: JSONObject = [
            "batch": .string(name),
            "jobs": .integer(Int64(tally.total)),
            "ended": .integer(Int64(tally.finished)),
            "charged_credits": JSONValue(charged),
            "estimated_credits": JSONValue(toCome),
            "jobs_without_estimate": .integer(Int64(unpriced)),
            "errors": .object(failures.mapValues { .integer(Int64($0)) }),
            "expected_by": JSONValue(expectedBy),
            "waits": .array(holds.map { .string($0) }),
        ]
        for state in JobState.allCases { object[state.rawValue] = .integer(Int64(tally[state])) }
        return object
    }
}
