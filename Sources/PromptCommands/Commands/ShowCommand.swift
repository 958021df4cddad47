import ArgumentParser
import PromptQueue

struct ShowCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one job: its attempts, money, results, and what to do.",
        discussion: """
            promptctl show 17
            promptctl show 17 --json
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var format: JSONOption

    @Argument(help: "The job.")
    var id: JobID

    func run() throws {
        let console = Console.current
        try database.open { file in
            guard let details = try file.details(of: id) else {
                throw CommandError(.badData, "job \(id): there is no such job; promptctl list shows the newest")
            }
            let latest = try Self.latest(details.job, file, now: console.now())
            if format.json {
                console.print(JSONValue.object(details.object(latest: latest, now: console.now())).json)
            } else {
                for line in JobPage(details: details, latest: latest, console: console).lines { console.print(line) }
            }
        }
    }

    /// By when a queued job should be done, at the latest: a few hundred jobs of each queue tell enough for that.
    private static func latest(_ job: JobRecord, _ file: any QueueClient, now: Instant) throws -> Instant? {
        guard job.state == .queued else { return nil }
        let status = try Status(file, now: now, sample: 200)
        guard status.processID != nil else { return nil }
        return status.forecast.latest(for: job, in: status.record, now: now)
    }
}

/// One job, for people.
struct JobPage {
    let details: JobDetails
    let latest: Instant?
    let console: Console

    var lines: [String] { (head + facts + chain + timeline + evidence + files + advice).flatMap(console.wrapped) }

    private var job: JobRecord { details.job }

    // MARK: - Parts

    private var head: [String] {
        var parts = ["queue \(oneLine(job.queue))", oneLine(job.model)]
        if let money { parts.append(money) }
        let state = console.hasColour ? job.state.style?.apply(to: job.state.rawValue) : nil
        return ["job \(job.id)  \(state ?? job.state.rawValue)  " + parts.joined(separator: "  ")]
    }

    private var money: String? {
        let reserved = details.attempts.reduce(Credits.zero) { $0 + $1.reserved }
        var parts: [String] = []
        let remark = job.estimateBasis?.remark ?? ""
        if let charged = job.charged {
            parts.append("\(charged.inWords)\(console.money(charged)) charged")
            if let estimated = job.estimated, estimated != charged, reserved == .zero {
                parts.append("\(estimated.grouped) estimated\(remark)")
            }
        }
        if reserved > .zero { parts.append("\(reserved.inWords) reserved\(remark)") }
        if parts.isEmpty, let estimated = job.estimated { parts.append("\(estimated.inWords) estimated\(remark)") }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// What was sent last, without the prompt; before that, what the producer gave.
    private var shownInput: JSONObject? {
        guard let sent = details.attempts.last?.input, job.state != .queued, case .object(var input) = parsed(sent)
        else {
            return parsed(job.input).objectValue
        }
        if let prompt = job.prompt { input = input.filter { $0.value != .string(prompt) } }
        return input
    }

    private var facts: [String] {
        var facts: [(String, String)] = []
        if let prompt = job.prompt { facts.append(("prompt", "\"\(oneLine(prompt))\"")) }
        if let input = shownInput, !input.isEmpty { facts.append(("input", Self.list(input))) }
        if let batch = job.batch { facts.append(("batch", oneLine(batch))) }
        if let labels = job.labels, case .object(let object) = parsed(labels) {
            facts.append(("labels", Self.list(object)))
        }
        if let key = job.uniqueKey { facts.append(("key", oneLine(key))) }
        if job.priority != 0 { facts.append(("priority", "\(job.priority)")) }
        if job.state == .queued, let runAt = job.runAt, runAt > console.now() {
            facts.append(("run at", console.time(runAt)))
        }
        if let task = job.taskID { facts.append(("task", oneLine("\(task)"))) }
        if job.state == .running, job.providerState == "not_found" {
            facts.append(("provider", "does not know this task; promptd goes on asking for two months"))
        } else if job.state == .running, let running = details.running {
            let now = console.now()
            let (half, most) = (running.end(0.5, now: now), running.end(0.9, now: now))
            let about = "at about \(console.time(half)) (in \((half - now).inWords))"
            facts.append(("expected", "\(about), 9 of 10 in \((most - now).inWords)"))
        }
        if let latest {
            let unless = "if nothing of a higher priority comes"
            facts.append(("expected", "by about \(console.time(latest)) at the latest, \(unless)"))
        }
        if job.state == .failed || job.state == .queued, let message = job.errorMessage {
            facts.append(("error", "\(job.errorCode ?? "error"): \(oneLine(message))"))
        }
        return facts.map { $0.0 + String(repeating: " ", count: max(1, 9 - $0.0.count)) + $0.1 }
    }

    /// Top down: what comes before, the job itself, and what comes after.
    private var chain: [String] {
        guard !details.chain.isEmpty else { return [] }
        let own = ChainLink(
            job: job.id,
            state: job.state,
            model: job.model,
            distance: 0,
            takes: InputReference.all(in: parsed(job.input)).map(\.text)
        )
        let links =
            details.chain.filter { $0.distance < 0 } + [own] + details.chain.filter { $0.distance > 0 }
        let first = links.map(\.distance).min() ?? 0
        return ["chain"]
            + links.map { link in
                let indent = String(repeating: "  ", count: min(link.distance - first, 20) + 1)
                let takes = link.takes.isEmpty ? "" : "  takes \(oneLine(link.takes.joined(separator: ", ")))"
                let mark = link.distance == 0 ? "  (this job)" : ""
                return "\(indent)job \(link.job)  \(link.state.rawValue)  \(oneLine(link.model))\(takes)\(mark)"
            }
    }

    private static func list(_ object: JSONObject) -> String {
        object.sorted { $0.key < $1.key }
            .map { oneLine("\($0.key) \($0.value.stringValue ?? $0.value.json)") }
            .joined(separator: ", ")
    }

    private var timeline: [String] {
        var lines: [String] = []
        var date = console.date(console.now())
        var zone = ""
        for (instant, text) in details.timeline {
            if console.date(instant) != date {
                date = console.date(instant)
                lines.append("  \(date)")
            }
            // A column of times without a zone says nothing to whoever reads it elsewhere.
            if zone != console.zone(instant) {
                zone = console.zone(instant)
                lines.append(zone == "UTC" ? "  in UTC" : "  local time, \(zone)")
            }
            lines.append("  \(console.clockTime(instant))  \(text)")
        }
        return lines
    }

    private var evidence: [String] {
        details.attempts.compactMap { attempt in attempt.evidence.map { "evidence \(oneLine($0))" } }
    }

    private var files: [String] {
        guard !details.results.isEmpty else { return [] }
        return ["results"]
            + details.results.flatMap { result -> [String] in
                let role = result.role == TaskOutput.result ? "" : ", \(oneLine(result.role))"
                let type = (result.contentType.map { ", \($0)" } ?? "") + role
                var lines: [String] =
                    switch result.state {
                    case .saved: ["  \(result.ordinal)  \(oneLine(result.path ?? ""))\(type)"]
                    case .pending:
                        [
                            "  \(result.ordinal)  "
                                + (result.errorMessage.map { "waiting, tried again: \(oneLine($0))" }
                                    ?? (job.state == .succeeded
                                        ? "not downloaded: downloads were off" : "being downloaded"))
                        ]
                    case .failed: ["  \(result.ordinal)  not saved: \(oneLine(result.errorMessage ?? "unknown"))"]
                    }
                if let url = result.url { lines.append("     \(oneLine(url))") }
                return lines
            }
    }

    private var hints: [String] {
        details.attempts.filter { $0.state == .unknown && $0.finishedAt == nil }.compactMap(\.hintedTask).map {
            "A callback named task \(oneLine("\($0)")): promptd asks the provider, and takes it up if it is this job's."
        }
    }

    private var advice: [String] {
        switch job.state {
        case .unconfirmed:
            hints + (details.waiting?.lines(console) ?? []) + [
                "If you see the task at the provider: promptctl resolve \(job.id) --task ID.",
                "If you are sure that it does not exist: promptctl resolve \(job.id) --resubmit.",
                "To give it up: promptctl resolve \(job.id) --fail.",
            ]
        case .failed where job.errorCode == FailureCode.inputFailed.rawValue:
            ["To try again: promptctl retry with the job that it names, and then promptctl retry \(job.id)"]
        case .failed where details.attempts.isEmpty:
            [
                "It was never sent. Add it again, with what is wrong put right.",
                "If promptd's settings were wrong, and are right now: promptctl retry \(job.id)",
            ]
        case .failed: ["To try again: promptctl retry \(job.id)"]
        case .queued:
            if let waits = job.waits {
                job.waitsFor.isEmpty
                    ? [
                        "It waits for a file to be uploaded."
                            + (job.uploadTrouble.map { " The last try failed: \(oneLine($0))" } ?? "")
                    ]
                    : ["It waits \(waits), whose \(job.waitsFor.count == 1 ? "result it takes" : "results it takes")."]
            } else if let runAt = job.runAt, runAt > console.now() {
                ["Not before \(console.time(runAt))."]
            } else if let blocked = details.blockedBy {
                [
                    "Its queue waits: \(oneLine(blocked.reason.rawValue))"
                        + (blocked.message.map { ": \(oneLine($0))" } ?? "")
                ]
            } else {
                []
            }
        case .submitting, .running, .succeeded, .cancelled: []
        }
    }
}
