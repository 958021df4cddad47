import Hummingbird
import PromptQueue

/// What the page of a job shows.
struct JobView {
    struct Fact {
        let name: String
        let value: String
        let factHref: String?
    }

    struct Event {
        let at: TimeView
        let event: String
    }

    /// A job of the chain.
    struct Link {
        let linkID: String
        let linkHref: String?
        let state: StateView
        let linkModel: String
        let linkNote: String
    }

    struct Attempt {
        let number: String
        let attemptState: String
        let task: String
        let sent: TimeView
        let estimated: String
        let reserved: String
        let charged: String
        let answer: String
        let raw: [Raw]
    }

    struct Raw {
        let name: String
        let json: String
    }

    let frame: Frame
    let id: String
    let state: StateView
    let notice: NoticeView?
    let results: [ResultView]
    let resultsText: String
    let promptText: String?
    let facts: [Fact]
    let timeline: [Event]
    let chain: [Link]
    let hasChain: Bool
    let attempts: [Attempt]
    let hasAttempts: Bool
    let json: String
    let canRetry: Bool
    let canCancel: Bool
    /// Whether its request was lost, and nobody has said what became of it.
    let settling: Bool
}

extension Dashboard {
    func job(_ parameters: Parameters) async throws -> PageContent {
        let text = try parameters.require("id")
        guard let id = try JobQuery.job(text, "job") else { throw PageProblem.notFound("There is no job \(text).") }
        let details = try await source.read { try $0.details(of: id) }
        guard let details else { throw PageProblem.notFound("There is no job \(id).") }
        return PageContent("job", JobView(details, now: now()))
    }
}

extension JobView {
    init(_ details: JobDetails, now: Instant) {
        let job = details.job
        frame = Frame("Job \(job.id)")
        id = job.id.description
        state = StateView(job.state)
        notice = Self.notice(details)
        results = details.results.map { ResultView($0, of: job, isLarge: true) }
        resultsText = job.state.isFinal ? "It has no result." : "Its result comes here."
        promptText = job.prompt
        facts = Self.facts(details, now: now)
        timeline = details.timeline.map { Event(at: TimeView($0.at, now: now), event: $0.text) }
        chain = Self.chain(details)
        hasChain = !chain.isEmpty
        attempts = details.attempts.enumerated().map { Attempt($0.element, number: $0.offset + 1, now: now) }
        hasAttempts = !attempts.isEmpty
        json = JSONValue.object(details.object(latest: nil, now: now)).json
        canRetry = JobChange.retry.origins.contains(job.state)
        canCancel = JobChange.cancel.origins.contains(job.state)
        settling =
            (job.state == .unconfirmed || job.state == .cancelled)
            && details.attempts.contains { $0.state == .unknown && $0.finishedAt == nil }
    }

    private static func notice(_ details: JobDetails) -> NoticeView? {
        let job = details.job
        switch job.state {
        case .unconfirmed:
            let charged = details.waiting?.wasCharged
            let evidence =
                charged.map {
                    $0
                        ? "The account's balance shows that it was charged."
                        : "The account's balance shows no charge for it. That is no proof: a request can arrive later."
                }
            return NoticeView(
                "warn",
                "It was sent, and the answer was lost",
                text: evidence ?? "A task may exist, and may have been charged. It is never sent again by itself.",
                next: "If you see its task at the provider, or are sure that there is none, \(Advice.settle)."
            )
        case .failed:
            return NoticeView(
                "bad",
                job.errorCode ?? "It failed",
                text: job.errorMessage,
                next: "\(Advice.trySending(job.id))."
            )
        case .queued:
            if let blocked = details.blockedBy, !blocked.reason.isOrdinary {
                return NoticeView(
                    "warn",
                    "Its queue waits: \(blocked.reason.rawValue)",
                    text: blocked.message,
                    next: blocked.reason.whatToDo
                )
            }
            guard let message = job.errorMessage else { return nil }
            return NoticeView("warn", job.errorCode ?? "It is tried again", text: message, next: "It is tried again.")
        case .submitting, .running, .succeeded, .cancelled: return nil
        }
    }

    /// What comes before, the job itself, and what comes after.
    private static func chain(_ details: JobDetails) -> [Link] {
        guard !details.chain.isEmpty else { return [] }
        let job = details.job
        let own = Link(
            linkID: "job \(job.id)",
            linkHref: nil,
            state: StateView(job.state),
            linkModel: job.model,
            linkNote: job.waitsFor.isEmpty
                ? "this one" : "this one, waits for \(job.waitsFor.map { "job \($0)" }.joined(separator: ", "))"
        )
        let links = details.chain.map { link in
            let isBefore = link.distance < 0
            let far = abs(link.distance)
            let takes = link.takes.prefix(4).joined(separator: ", ")
            let note =
                isBefore
                ? far == 1 ? "its result is taken" : "\(far) links before"
                : far == 1 ? "takes its result" : "\(far) links after"
            return (
                isBefore,
                Link(
                    linkID: "job \(link.job)",
                    linkHref: "/jobs/\(link.job)",
                    state: StateView(link.state),
                    linkModel: link.model,
                    linkNote: note + (takes.isEmpty ? "" : " (takes \(takes))")
                )
            )
        }
        return links.filter(\.0).map(\.1) + [own] + links.filter { !$0.0 }.map(\.1)
    }

    private static func facts(_ details: JobDetails, now: Instant) -> [Fact] {
        let job = details.job
        var facts: [Fact] = []
        func add(_ name: String, _ value: String?, _ href: String? = nil) {
            guard let value else { return }
            facts.append(Fact(name: name, value: PlainText.oneLine(value), factHref: href))
        }
        add("Model", job.model, "/models?search=\(URLText.encoded(job.model))")
        add("Queue", job.queue, "/jobs?queue=\(URLText.encoded(job.queue))")
        add("Batch", job.batch, job.batch.map { "/gallery?batch=\(URLText.encoded($0))" })
        let reserved = details.attempts.reduce(Credits.zero) { $0 + $1.reserved }
        add("Charged", job.charged?.inWords)
        if reserved > .zero { add("Reserved", reserved.inWords) }
        add("Estimated", job.estimated.map { $0.inWords + (job.estimateBasis.map { ", \($0.rawValue)" } ?? "") })
        let input = details.attempts.last?.input ?? job.input
        if case .object(let fields) = parsed(input) {
            for (name, value) in fields.sorted(by: { $0.key < $1.key }) where value != .string(job.prompt ?? "") {
                add(name, String((value.stringValue ?? value.json).prefix(2_000)))
            }
        }
        if let labels = job.labels, case .object(let labels) = parsed(labels) {
            for (name, value) in labels.sorted(by: { $0.key < $1.key }) {
                let text = value.stringValue ?? value.json
                add("Label \(name)", text, "/jobs?label=\(URLText.encoded("\(name)=\(text)"))")
            }
        }
        add("Key", job.uniqueKey)
        if job.priority != 0 { add("Priority", "\(job.priority)") }
        if job.state == .queued, let runAt = job.runAt, runAt > now { add("Not before", runAt.utcDayAndMinutes) }
        if job.state == .running, let running = details.running {
            let half = running.end(0.5, now: now)
            add("Expected", "in about \((half - now).inWords)")
        }
        add("Attempts", "\(job.attemptCount) of \(job.maxAttempts)")
        add("Task", job.taskID?.rawValue)
        return facts
    }
}

extension JobView.Attempt {
    init(_ attempt: AttemptRecord, number: Int, now: Instant) {
        self.number = "\(number)"
        attemptState = attempt.state.rawValue
        task = attempt.taskID?.rawValue ?? "–"
        sent = TimeView(attempt.sentAt, now: now)
        estimated = attempt.estimated?.grouped ?? "–"
        reserved = attempt.reserved > .zero ? attempt.reserved.grouped : "–"
        charged = attempt.charged.map { $0.grouped + (attempt.isChargeReported ? "" : " (not reported)") } ?? "–"
        let code = (attempt.apiCode ?? attempt.httpStatus).map { "\($0)" }
        answer = [code, attempt.errorCode, attempt.message].compactMap(\.self).joined(separator: ", ")
        raw = [("What was sent", attempt.input), ("The provider's answer", attempt.unread)]
            .compactMap { name, text in text.map { JobView.Raw(name: name, json: $0) } }
    }
}
