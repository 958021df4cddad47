import Concurrency
import Logging
import PromptQueue
import ServiceLifecycle
import Synchronization
import Testing

@testable import PromptDaemon

/// The runner between ports that the test controls.
@Suite(.timeLimit(.minutes(5))) struct RunnerTests {
    @Test func `a record that is refused for good is kept and set aside, and everything else goes on`() async throws {
        let ledger = FakeLedger(jobs: 2, refusing: AttemptID(1))
        let provider = FakeProvider(holding: AttemptID(2)) { _ = await ledger.refusal.wait() }
        let journal = FakeJournal()
        let runner = runner(ledger, provider, journal: journal)
        let group = ServiceGroup(services: [runner], logger: Self.logger)
        async let run: Void = group.run()
        _ = await ledger.aside.wait()
        await group.triggerGracefulShutdown()
        try await run
        #expect(ledger.recorded.contains { if case .accepted(AttemptID(2), _, _) = $0 { true } else { false } })
        #expect(ledger.recorded.contains { if case .setAside(AttemptID(1), _) = $0 { true } else { false } })
        #expect(journal.tasks.count == 1)
    }

    @Test func `what was claimed is given back unsent once others may take over`() async throws {
        let ledger = FakeLedger(jobs: 1, refusing: nil, maySend: false)
        let provider = FakeProvider(holding: AttemptID(1)) {
            Issue.record("it was sent")
            ledger.rejection.open()
        }
        let runner = runner(ledger, provider)
        let group = ServiceGroup(services: [runner], logger: Self.logger)
        async let run: Void = group.run()
        _ = await ledger.rejection.wait()
        await group.triggerGracefulShutdown()
        try await run
        let rejected = ledger.recorded.compactMap { change -> FailureDisposition? in
            guard case .rejected(AttemptID(1), let failure, let then) = change, failure.code == .notSent else {
                return nil
            }
            return then
        }
        #expect(rejected.count == 1)
        guard case .retry(_, counted: false) = rejected.first else {
            Issue.record("it was not sent, so it does not count")
            return
        }
    }

    @Test func `nothing is claimed before everything else stands`() async throws {
        let ledger = FakeLedger(jobs: 1, refusing: nil)
        let start = Latch()
        let runner = runner(ledger, FakeProvider(holding: nil) {}, start: start)
        start.abandon()
        try await runner.run()
        #expect(ledger.recoveries == 0)
        #expect(ledger.recorded.isEmpty)
    }

    @Test func `draining waits for the answers under way and records them`() async throws {
        let ledger = FakeLedger(jobs: 1, refusing: nil)
        let draining = Latch()
        let sent = Latch()
        let provider = FakeProvider(holding: AttemptID(1)) {
            sent.open()
            _ = await draining.wait()
        }
        let runner = runner(ledger, provider)
        let group = ServiceGroup(services: [runner], logger: Self.logger)
        async let run: Void = group.run()
        _ = await sent.wait()
        await group.triggerGracefulShutdown()
        draining.open()
        try await run
        #expect(ledger.recorded.contains { if case .accepted = $0 { true } else { false } })
    }

    @Test func `what waits for its turn when promptd stops is given back`() async throws {
        let ledger = FakeLedger(jobs: 100, refusing: nil)
        let provider = BusyProvider(until: RequestQueue.atOnce)
        let runner = runner(ledger, provider)
        async let run: Void = runner.run()
        _ = await provider.isBusy.wait()
        runner.drain()
        let hasDrained = Latch()
        runner.events.send(.asked { hasDrained.open() })
        _ = await hasDrained.wait()
        provider.answer()
        try await run
        let accepted = ledger.recorded.count { if case .accepted = $0 { true } else { false } }
        let back = ledger.recorded.count {
            if case .rejected(_, let failure, then: .retry(_, counted: false)) = $0 {
                failure.message == "promptd was stopped before it was sent"
            } else {
                false
            }
        }
        #expect(accepted == RequestQueue.atOnce)
        #expect(back == 100 - RequestQueue.atOnce)
    }

    @Test func `a cancellation sends nothing that waits for its turn`() async throws {
        let ledger = FakeLedger(jobs: 100, refusing: nil)
        let provider = BusyProvider(until: RequestQueue.atOnce)
        let runner = runner(ledger, provider)
        let run = Task { try await runner.run() }
        _ = await provider.isBusy.wait()
        run.cancel()
        _ = await run.result
        #expect(provider.requests == RequestQueue.atOnce)
    }

    /// One may take long, as the download of a large file does.
    @Test func `tasks that are suspected keep nobody from submitting while they wait for each other`() async throws {
        let suspects = (1...100).map {
            OpenTask(
                attempt: AttemptID(1_000 + $0),
                job: JobID(1_000 + $0),
                task: TaskID("suspect-\($0)"),
                model: "m",
                acceptedAt: StoppedTime().now.instant - .seconds(60),
                attemptCount: 1,
                maxAttempts: 3
            )
        }
        let download = RiskyStep.download(ResultID(job: JobID(1), ordinal: 0))
        let steps = StepWatch(
            marks: NoMarks(),
            suspects: Set(suspects.map { .poll($0.attempt) } + [download]),
            store: FakeSuspectStore()
        )
        await steps.begin(download)
        let ledger = FakeLedger(jobs: 1, refusing: nil, tasks: suspects)
        let provider = BusyProvider(until: 1)
        let runner = runner(ledger, provider, steps: steps)
        async let run: Void = runner.run()
        _ = await provider.isBusy.wait()
        provider.answer()
        steps.end(download)
        runner.drain()
        try await run
    }

    @Test func `a cancellation waits for what was handed to the ledger`() async throws {
        let ledger = FakeLedger(jobs: 1, refusing: nil, delaying: AttemptID(1))
        let runner = runner(ledger, FakeProvider(holding: nil) {})
        try await withThrowingTaskGroup { group in
            group.addTask {
                try await runner.run()
                ledger.runnerHasEnded()
            }
            _ = await ledger.delay.wait()
            group.cancelAll()
            for _ in 0..<10_000 { await Task.yield() }
            #expect(!ledger.isRunnerDone, "its ledger may be closed now")
            ledger.commitDelayed()
            try await group.waitForAll()
        }
        #expect(ledger.recorded.count == 1)
    }

    private static var settings: EngineSettings {
        var settings = EngineSettings()
        settings.firstSubmissions = 1_000
        settings.pollsPerSecond = 1_000
        settings.running = 1_000
        return settings
    }

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func runner(
        _ ledger: FakeLedger,
        _ provider: any Provider,
        journal: FakeJournal? = nil,
        steps: StepWatch? = nil,
        start: Latch? = nil
    ) -> Runner {
        let open = Latch()
        open.open()
        return Runner(
            ledger: ledger,
            provider: provider,
            fetcher: NoFetcher(),
            prepare: { _ in .refused(Refusal(code: .invalidInput, problems: [])) },
            settings: Self.settings,
            seed: 1,
            grace: .seconds(10),
            time: StoppedTime(),
            journal: journal,
            steps: steps,
            start: start ?? open,
            logger: Self.logger,
            onStarted: { _ in }
        )
    }
}

/// Time that does not pass: whoever sleeps, sleeps until he is cancelled.
private struct StoppedTime: TimeSource {
    let now = Moment(instant: Instant(milliseconds: 1_800_000_000_000), uptime: .seconds(1))

    func sleep(until uptime: Duration) async throws {
        let never = AsyncStream<Void> { _ in }
        for await _ in never {}
        throw CancellationError()
    }
}

/// Accepts everything; the answer to one attempt waits for `hold`.
private struct FakeProvider: Provider {
    let holding: AttemptID?
    let hold: @Sendable () async -> Void

    init(holding: AttemptID?, hold: @escaping @Sendable () async -> Void) {
        self.holding = holding
        self.hold = hold
    }

    func submit(_ job: ClaimedJob) async -> SubmissionOutcome {
        if job.attempt == holding { await hold() }
        return .accepted(TaskID("task-\(job.attempt)"), httpStatus: 200)
    }

    func poll(_ task: TaskID) async -> PollAnswer { PollAnswer(.pending(providerState: "waiting")) }
    func balance() async -> Result<Credits, FailureError> {
        .failure(FailureError(Failure(.providerUnavailable, "…")))
    }
}

/// Answers nothing until it is told to.
private final class BusyProvider: Provider {
    private struct State {
        var requests = 0
        /// Those that wait for an answer; nil when all are answered at once.
        var waiting: [Latch]? = []
    }

    let isBusy = Latch()
    private let most: Int
    private let state = Mutex(State())

    /// - Parameter most: how many requests make it busy.
    init(until most: Int) { self.most = most }

    var requests: Int { state.withLock { $0.requests } }

    func answer() {
        for latch in state.withLock({ $0.waiting.take() }) ?? [] { latch.open() }
    }

    func submit(_ job: ClaimedJob) async -> SubmissionOutcome {
        let turn = Latch()
        let (count, waits) = state.withLock { state in
            state.requests += 1
            state.waiting?.append(turn)
            return (state.requests, state.waiting != nil)
        }
        if count == most { isBusy.open() }
        if waits { _ = await turn.wait() }
        return .accepted(TaskID("task-\(job.attempt)"), httpStatus: 200)
    }

    func poll(_ task: TaskID) async -> PollAnswer { PollAnswer(.pending(providerState: "waiting")) }
    func balance() async -> Result<Credits, FailureError> {
        .failure(FailureError(Failure(.providerUnavailable, "…")))
    }
}

private final class NoMarks: StepJournal {
    var leftovers: (steps: [RiskyStep], end: SuddenEnd)? { nil }
    var signalPlace: (descriptor: Int32, offset: Int) { (-1, 0) }

    func reset() {}
    func remove() {}
    func begin(_ step: RiskyStep) {}
    func end(_ step: RiskyStep) {}
}

private struct NoFetcher: Fetcher {
    func fetch(_ download: PendingDownload) async -> DownloadOutcome { .failed(.gone, message: "none") }
    func forget(_ result: ResultID) {}
    func discard(_ file: SavedFile, of result: ResultID) async throws {}
}

/// A ledger in memory that claims `jobs` jobs at once and refuses to record the answer to one attempt.
private final class FakeLedger: JobLedger {
    private struct State {
        var jobs: Int
        var recoveries = 0
        var recorded: [LedgerChange] = []
        var delayed: (@Sendable () -> Void)?
        var isRunnerDone = false
    }

    private let refused: AttemptID?
    private let delayed: AttemptID?
    private let state: Mutex<State>
    /// Opens when the answer has been refused.
    let refusal = Latch()
    /// Opens when the attempt is set aside.
    let aside = Latch()
    /// Opens when the answer to `delayed` is to be recorded.
    let delay = Latch()
    /// Opens when an attempt is recorded as one without a task.
    let rejection = Latch()
    let maySend: Bool
    private let tasks: [OpenTask]

    /// - Parameter tasks: those that are found at the start.
    init(
        jobs: Int,
        refusing refused: AttemptID?,
        delaying delayed: AttemptID? = nil,
        maySend: Bool = true,
        tasks: [OpenTask] = []
    ) {
        self.tasks = tasks
        self.maySend = maySend
        self.refused = refused
        self.delayed = delayed
        state = Mutex(State(jobs: jobs))
    }

    var recorded: [LedgerChange] { state.withLock { $0.recorded } }
    var recoveries: Int { state.withLock { $0.recoveries } }

    func recover(now: Instant, rate: RateLimit) async throws(LedgerError) -> Recovery {
        state.withLock { $0.recoveries += 1 }
        var recovery = Recovery()
        recovery.tasks = tasks
        return recovery
    }

    func begin(_ identity: DaemonIdentity, now: Instant) async throws(LedgerError) {}
    func beat(now: Instant) async throws(LedgerError) {}
    func end(now: Instant) async throws(LedgerError) {}

    func claim(
        _ request: ClaimRequest,
        prepare: @escaping @Sendable (QueuedJob) -> Preparation
    ) async throws(LedgerError) -> Claim {
        let count = state.withLock { state in
            defer { state.jobs = 0 }
            return state.jobs
        }
        var claim = Claim()
        claim.jobs = (0..<count).map { .numbered(Int64($0 + 1)) }
        return claim
    }

    func record(
        _ change: LedgerChange,
        now: Instant,
        done: @escaping @Sendable (Result<CommitResult, LedgerError>) -> Void
    ) {
        if case .accepted(let attempt, _, _) = change, attempt == refused {
            done(.failure(LedgerError(.constraint, "refused")))
            refusal.open()
            return
        }
        if case .setAside = change { aside.open() }
        let commit: @Sendable () -> Void = { [self] in
            state.withLock { $0.recorded.append(change) }
            done(.success(CommitResult()))
            if case .rejected = change { rejection.open() }
        }
        guard case .accepted(let attempt, _, _) = change, attempt == delayed else { return commit() }
        state.withLock { $0.delayed = commit }
        delay.open()
    }

    var isRunnerDone: Bool { state.withLock { $0.isRunnerDone } }

    func runnerHasEnded() { state.withLock { $0.isRunnerDone = true } }

    func commitDelayed() {
        state.withLock { $0.delayed.take() }?()
    }

    func unwanted(_ results: [ResultID]) async throws(LedgerError) -> [ResultID] { [] }
    func hasForeignChanges() async throws(LedgerError) -> Bool { false }
    func takeResumed(now: Instant) async throws(LedgerError) -> Recovery { Recovery() }
}

private final class FakeJournal: OutcomeJournal {
    private let kept = Mutex<[TaskID]>([])

    var tasks: [TaskID] { kept.withLock { $0 } }

    func append(_ change: LedgerChange, at instant: Instant) throws(LedgerError) {
        guard let task = change.outcome?.task else { return }
        kept.withLock { $0.append(task) }
    }
}
