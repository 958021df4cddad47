@testable import PromptQueue

/// An engine with a clock that the test moves.
struct EngineFixture {
    var engine: Engine
    var now = Moment(instant: Instant(milliseconds: 1_800_000_000_000), uptime: .seconds(1_000))
    private var nextAttempt: Int64 = 0

    init(_ change: (inout EngineSettings) -> Void = { _ in }) {
        var settings = EngineSettings()
        // Most tests are about what comes after the ramp.
        settings.firstSubmissions = 1_000
        change(&settings)
        engine = Engine(settings: settings, seed: 7)
    }

    /// What the engine wants because of an event. Notes about gates are recorded at once, or the next would wait for that.
    mutating func send(_ event: EngineEvent) -> [EngineEffect] {
        var effects = engine.handle(event, now: now)
        for change in effects.records {
            if case .gates = change { effects += engine.handle(.recorded(change, CommitResult()), now: now) }
        }
        return effects
    }

    /// Starts with an empty ledger; the balance is answered for.
    mutating func start() -> [EngineEffect] {
        let effects = send(.started(Recovery()))
        return effects + send(.balanceUnknown(Failure(.providerUnavailable, "…")))
    }

    mutating func pass(_ duration: Duration) { now = now + duration }

    mutating func job(model: String = "m", attemptCount: Int = 1, maxAttempts: Int = 3) -> ClaimedJob {
        nextAttempt += 1
        return ClaimedJob(
            attempt: AttemptID(nextAttempt),
            token: AttemptToken("t"),
            job: JobID(nextAttempt),
            queue: "default",
            model: model,
            input: [:],
            reserved: Credits(millicredits: 14_000),
            attemptCount: attemptCount,
            maxAttempts: maxAttempts
        )
    }

    /// Answers a claim with `count` jobs.
    mutating func claim(_ count: Int, hasMore: Bool = true, model: String = "m") -> (jobs: [ClaimedJob], [EngineEffect])
    {
        var claim = Claim()
        claim.jobs = (0..<count).map { _ in job(model: model) }
        claim.hasMore = hasMore
        return (claim.jobs, send(.claimed(claim)))
    }

    /// Claims one job, the only one that is due, and answers its request; everything is recorded at once.
    mutating func answerOne(_ outcome: SubmissionOutcome, model: String = "m") -> [EngineEffect] {
        let (jobs, _) = claim(1, hasMore: false, model: model)
        var effects = send(.submitted(jobs[0].attempt, outcome))
        for change in effects.records { effects += send(.recorded(change, CommitResult())) }
        return effects
    }

    /// Starts, claims one job, and brings its task to run at the provider.
    mutating func runOne(maxAttempts: Int = 3) -> OpenTask {
        _ = start()
        var claim = Claim()
        claim.jobs = [job(maxAttempts: maxAttempts)]
        _ = send(.claimed(claim))
        let attempt = claim.jobs[0].attempt
        let task = TaskID("task-\(attempt)")
        _ = send(.submitted(attempt, .accepted(task, httpStatus: 200)))
        _ = send(.recorded(.accepted(attempt, task: task, httpStatus: 200), CommitResult()))
        return OpenTask(
            attempt: attempt,
            job: claim.jobs[0].job,
            task: task,
            model: "m",
            acceptedAt: now.instant,
            attemptCount: 1,
            maxAttempts: maxAttempts
        )
    }

    /// A task that a callback has named, or that ran before the start.
    func openTask(_ attempt: AttemptID, _ task: String) -> OpenTask {
        OpenTask(
            attempt: attempt,
            job: JobID(attempt.rawValue),
            task: TaskID(task),
            model: "m",
            acceptedAt: now.instant,
            attemptCount: 1,
            maxAttempts: 3
        )
    }

    struct NoPoll: Error {}

    mutating func untilPoll(limit: Duration = .seconds(3_600)) throws {
        guard passUntilPoll(limit: limit) != nil else { throw NoPoll() }
    }

    /// Lets time pass until a task is asked about; the effects of that tick.
    mutating func passUntilPoll(limit: Duration = .seconds(3_600)) -> Duration? {
        let start = now.uptime
        while now.uptime - start < limit {
            var effects = send(.tick)
            if effects.asksForBalance { effects += send(.balanceUnknown(Failure(.providerUnavailable, "…"))) }
            if effects.polls.count > 0 { return now.uptime - start }
            guard let wake = effects.wake, wake > now.uptime else {
                pass(.milliseconds(10))
                continue
            }
            pass(wake - now.uptime)
        }
        return nil
    }
}

extension PollOutcome {
    static let waiting: PollOutcome = .pending(providerState: "waiting")
    static let picture: PollOutcome = .succeeded(
        [.file(url: "https://x/1.png")],
        charged: Credits(millicredits: 14_000)
    )
}

extension [EngineEffect] {
    var claims: [ClaimRequest] { compactMap { if case .claim(let request) = $0 { request } else { nil } } }
    var submissions: [AttemptID] { compactMap { if case .submit(let job) = $0 { job.attempt } else { nil } } }
    var polls: [AttemptID] { compactMap { if case .poll(let task) = $0 { task.attempt } else { nil } } }
    var askedTasks: [TaskID] { compactMap { if case .poll(let task) = $0 { task.task } else { nil } } }
    var downloads: [ResultID] { compactMap { if case .download(let download) = $0 { download.result } else { nil } } }
    var records: [LedgerChange] { compactMap { if case .record(let change) = $0 { change } else { nil } } }
    var wake: Duration? { compactMap { if case .wake(let at) = $0 { at } else { nil } }.last }
    var asksForBalance: Bool { contains { if case .checkBalance = $0 { true } else { false } } }
    var stops: Bool { contains { if case .stop = $0 { true } else { false } } }

    /// What becomes of the job of the only rejected or failed attempt.
    var disposition: FailureDisposition? {
        for change in records {
            switch change {
            case .rejected(_, _, let then), .taskFailed(_, _, _, let then, _): return then
            default: continue
            }
        }
        return nil
    }

    /// The last notes of gates.
    var notes: [GateNote]? {
        records.compactMap { if case .gates(let notes) = $0 { notes } else { nil } }.last
    }

    /// The names of the gates in the last note.
    var gates: [String]? {
        records.compactMap { if case .gates(let notes) = $0 { notes.map(\.name) } else { nil } }.last
    }
}
