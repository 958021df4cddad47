import ArgumentParser
import PromptQueue

struct WaitCommand: AsyncParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait until jobs have ended.",
        discussion: """
            Exits 0 if all have succeeded, 1 if any has failed or was cancelled, 75 when --timeout has passed. An \
            unconfirmed job has not ended: it is waited for until it is settled.

            promptctl wait -b spring-sale --timeout 2h
            promptctl wait 17 18
            """
    )

    @OptionGroup var database: DatabaseOption

    @Argument(help: "Jobs.")
    var ids: [JobID] = []

    @Option(name: .shortAndLong, help: "All jobs of a batch.", completion: .batches)
    var batch: String?

    @Option(help: ArgumentHelp("Give up after this time: 30s, 10m, 2h.", valueName: "duration"))
    var timeout: String?

    @Flag(help: "At the end, ring the terminal's bell, and tell its user by the terminal (OSC 9) and by notify-send.")
    var notify = false

    @OptionGroup var format: JSONOption

    func validate() throws {
        guard ids.isEmpty != (batch == nil) else { throw ValidationError("Give ids of jobs, or --batch.") }
        if let timeout, Duration(text: timeout) == nil {
            throw ValidationError("--timeout: \"\(timeout)\" is not a duration; write it like 30s, 10m or 2h.")
        }
    }

    func run() async throws {
        let console = Console.current
        try await database.open { file in
            let group = batch.map { JobGroup.batch($0) } ?? .ids(ids)
            if let missing = try file.missing(ids).first {
                throw CommandError(.badData, "job \(missing): there is no such job")
            }
            if let batch, try file.tally(of: group).total == 0 {
                throw CommandError(.badData, KnownNames.sentence("batch", batch, try file.batches(limit: 1_000), nil))
            }
            let waiting = Waiting(file: file, group: group, console: console, printsJSON: format.json)
            let subject = batch.map { "batch \(oneLine($0))" } ?? count(ids.count, "job")
            do {
                try await waiting.run(timeout: timeout.flatMap { Duration(text: $0) })
            } catch {
                if notify { await console.notify("promptd: \(subject) ended, not all well") }
                throw error
            }
            if notify { await console.notify("promptd: \(subject) done") }
        }
    }
}

/// Looks at jobs until they have ended, when the database has changed and not oftener.
struct Waiting {
    let file: any QueueClient
    let group: JobGroup
    let console: Console
    var printsJSON = false

    /// - Throws: `CommandError`, without a message of its own, with the exit code when not all is well.
    func run(timeout: Duration?) async throws {
        let bar = ProgressBar(console)
        var version: Int64 = -1
        var tally = JobTally()
        var charged = Credits.zero
        var warnings = Warnings()
        var interval = Duration.milliseconds(150)
        while true {
            let found = try file.dataVersion()
            if found != version {
                version = found
                let started = console.now()
                tally = try file.tally(of: group)
                if console.isErrorTerminal || tally.finished == tally.total { charged = try file.charged(to: group) }
                // Counting a large batch takes time; the daemon needs the processor, too.
                interval = max(.milliseconds(150), (console.now() - started) * 10)
            }
            if tally.finished == tally.total { break }
            try warn(tally, bar, &warnings)
            draw(tally, charged, bar, force: false)
            if let timeout, bar.elapsed >= timeout {
                bar.finish()
                report(tally, try file.charged(to: group), try file.failures(of: group))
                throw CommandError(
                    .temporary,
                    "\(count(tally.total - tally.finished, "job")) of \(grouped(tally.total)) not ended within \(timeout.text)"
                )
            }
            try await console.sleep(timeout.map { min(interval, max(.milliseconds(1), $0 - bar.elapsed)) } ?? interval)
        }
        draw(tally, charged, bar, force: true)
        bar.finish()
        report(tally, charged, try file.failures(of: group))
        if tally[.succeeded] != tally.total { throw CommandError(.failed, "") }
    }

    private func draw(_ tally: JobTally, _ charged: Credits, _ bar: ProgressBar, force: Bool) {
        let fraction = tally.total == 0 ? 1 : Double(tally.finished) / Double(tally.total)
        let label = "\(grouped(tally.finished)) of \(grouped(tally.total))"
        bar.draw(label, fraction, charged.inWords, force: force)
    }

    private struct Warnings {
        var absence = false
        var unconfirmed = false
        /// Why the jobs' queues wait, as it was last said.
        var reasons: [String] = []
        var asked: Instant?
    }

    /// Says once what an onlooker would wonder about.
    private func warn(_ tally: JobTally, _ bar: ProgressBar, _ warnings: inout Warnings) throws {
        if !warnings.absence, file.daemonProcessID == nil {
            warnings.absence = true
            bar.clear()
            console.say("promptd is not running on this database; waiting for somebody to start it")
        }
        if !warnings.unconfirmed, let job = tally.firstUnconfirmed {
            warnings.unconfirmed = true
            bar.clear()
            let verb = tally[.unconfirmed] == 1 ? "is" : "are"
            console.say("\(count(tally[.unconfirmed], "job")) \(verb) unconfirmed: promptctl show \(job)")
        }
        try sayWhatHolds(tally, bar, &warnings)
    }

    /// What is closed for a moment is not worth a word, nor is a full rate window or a full provider.
    private static let patience: Duration = .seconds(3)

    private func sayWhatHolds(_ tally: JobTally, _ bar: ProgressBar, _ warnings: inout Warnings) throws {
        let now = console.now()
        guard tally[.queued] > 0, tally[.running] + tally[.submitting] == 0 else { return }
        guard let asked = warnings.asked, now - asked >= Self.patience else {
            warnings.asked = warnings.asked ?? now
            return
        }
        warnings.asked = now
        let reasons = try file.holds(of: group).filter { !$0.reason.isOrdinary }
            .map { "\($0.queue) waits: \($0.reason.rawValue)" + ($0.message.map { ": \($0)" } ?? "") }
        guard reasons != warnings.reasons else { return }
        warnings.reasons = reasons
        bar.clear()
        for reason in reasons { console.say(oneLine(reason)) }
    }

    private func report(_ tally: JobTally, _ charged: Credits, _ failures: [String: Int]) {
        if printsJSON {
            var object: JSONObject = ["charged_credits": JSONValue(charged), "jobs": .integer(Int64(tally.total))]
            for state in JobState.allCases { object[state.rawValue] = .integer(Int64(tally[state])) }
            object["errors"] = .object(failures.mapValues { .integer(Int64($0)) })
            console.print(JSONValue.object(object).json)
        }
        var parts = ["\(grouped(tally[.succeeded])) succeeded", "\(grouped(tally[.failed])) failed"]
        for state in JobState.allCases where state != .succeeded && state != .failed && tally[state] > 0 {
            parts.append("\(grouped(tally[state])) \(state.rawValue)")
        }
        console.say(parts.joined(separator: ", ") + " · \(charged.inWords)\(console.money(charged)) charged")
        if let line = JobTally.sentence(of: failures) { console.say(line) }
    }
}

extension JobTally {
    /// `2 failed: content_refused 1, download_failed 1`, the most frequent first; nil if none failed.
    static func sentence(of failures: [String: Int]) -> String? {
        guard !failures.isEmpty else { return nil }
        let codes = failures.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return "\(grouped(failures.values.reduce(0, +))) failed: "
            + codes.map { "\(oneLine($0.key)) \(grouped($0.value))" }.joined(separator: ", ")
    }
}
