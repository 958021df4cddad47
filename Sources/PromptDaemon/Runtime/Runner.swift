package import Concurrency
package import Logging
package import PromptQueue
import ServiceLifecycle
import Synchronization

/// Carries out what the engine decides. It holds no policy.
package final class Runner: Service {
    private let ledger: any JobLedger
    private let provider: any Provider
    private let downloads: DownloadTasks
    private let prepare: @Sendable (QueuedJob) -> Preparation
    private let settings: EngineSettings
    private let seed: UInt64
    private let grace: Duration
    private let time: any TimeSource
    private let log: NoticeLogger
    private let metrics: DaemonMetrics?
    private let journal: (any OutcomeJournal)?
    private let steps: StepWatch?
    private let start: Latch
    private let onStarted: @Sendable (Recovery) async -> Void
    /// Tells the runners of other accounts that something is settled, and whether jobs of theirs may have become due by it; nil if
    /// there are none.
    private let tellOthers: (@Sendable (Bool) -> Void)?
    private let running = Atomic(false)
    /// Changes that were handed to the ledger.
    private let records = InFlightCounter()
    let events = EventQueue()
    private let requests = RequestQueue()

    /// Whether the engine is at work.
    package var isRunning: Bool { running.load(ordering: .relaxed) }

    package init(
        ledger: any JobLedger,
        provider: any Provider,
        fetcher: any Fetcher,
        prepare: @escaping @Sendable (QueuedJob) -> Preparation,
        settings: EngineSettings,
        seed: UInt64,
        grace: Duration,
        time: any TimeSource,
        journal: (any OutcomeJournal)? = nil,
        steps: StepWatch? = nil,
        metrics: DaemonMetrics? = nil,
        start: Latch,
        logger: Logger,
        tellOthers: (@Sendable (Bool) -> Void)? = nil,
        onStarted: @escaping @Sendable (Recovery) async -> Void
    ) {
        self.tellOthers = tellOthers
        self.ledger = ledger
        self.provider = provider
        downloads = DownloadTasks(fetcher)
        self.steps = steps
        self.prepare = { job in
            guard let steps else { return prepare(job) }
            return steps.during(.claim(job.id)) { prepare(job) }
        }
        self.settings = settings
        self.seed = seed
        self.grace = grace
        self.time = time
        self.journal = journal
        self.metrics = metrics
        self.start = start
        self.onStarted = onStarted
        log = NoticeLogger(logger: logger)
    }

    /// Returns once the engine has handled everything that happened until now; at once if it is not at work. Never, while it is
    /// stuck: until the caller is cancelled.
    package func progress() async {
        guard isRunning else { return }
        let (answers, answer) = AsyncStream<Void>.makeStream()
        events.send(.asked { answer.finish() })
        for await _ in answers {}
    }

    /// Somebody else has committed to the ledger.
    package func ledgerChanged() async throws(LedgerError) {
        events.send(.ledgerChanged)
        try await takeResumed()
    }

    /// Takes up paid work that producers have asked for again.
    package func takeResumed() async throws(LedgerError) {
        let resumed = try await ledger.takeResumed(now: time.now.instant)
        if !resumed.tasks.isEmpty || !resumed.downloads.isEmpty { events.send(.resumed(resumed)) }
    }

    /// Key and configuration were reloaded.
    package func reloaded(_ settings: EngineSettings) {
        events.send(.reloaded(settings))
    }

    package func membersChanged(_ count: Int) {
        events.send(.members(count))
    }

    /// Ends it as a graceful shutdown does.
    package func drain() {
        running.store(false, ordering: .relaxed)
        events.send(.drain)
    }

    /// Runs until everything under way is finished and recorded after a graceful shutdown.
    ///
    /// - Throws: `LedgerError` when a change can never be committed; the next start puts things in order.
    package func run() async throws {
        // Nothing is claimed before everything else stands: what fails at the start must not cut off a request.
        let start = start
        let mayStart = await withTaskCancellationOrGracefulShutdownHandler {
            await start.wait()
        } onCancelOrGracefulShutdown: {
            start.abandon()
        }
        guard mayStart else { return }
        let recovery = try await ledger.recover(now: time.now.instant, rate: settings.rate)
        log.recovered(recovery)
        events.send(.started(recovery))
        running.store(true, ordering: .relaxed)
        defer { running.store(false, ordering: .relaxed) }
        await onStarted(recovery)
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await loop()
        } onCancelOrGracefulShutdown: { [self] in
            // A callback that comes now would be forgotten; the provider tries again.
            drain()
        }
    }

    private func loop() async throws {
        var engine = Engine(settings: settings, seed: seed)
        var failure: LedgerError?
        let timer = OneShotTimer(time: time) { [events] in events.send(.tick) }
        await withDiscardingTaskGroup { group in
            loop: while true {
                let batch = await events.next()
                if batch.isEmpty { break }
                for event in batch {
                    let effects: [EngineEffect]
                    // One instant for the decision and for what is recorded of it.
                    let now = time.now
                    switch event {
                    case .engine(let event):
                        if case .drain = event, !engine.isDraining { startGrace(&group) }
                        effects = engine.handle(event, now: now)
                        if let (step, isDone) = event.endedStep { steps?.end(step, isDone: isDone) }
                    case .asked(let answer):
                        answer()
                        effects = []
                    case .unrecorded(let change, let instant, let error):
                        retry(change, at: instant, after: error, in: &group)
                        effects = []
                    case .refused(let change, let error):
                        log.refused(change, error)
                        effects = engine.handle(.recordRefused(change, error), now: now)
                    case .graceOver:
                        log.graceOver(grace)
                        group.cancelAll()
                        effects = []
                    case .failed(let error, let change):
                        // What else is under way is still finished and recorded.
                        if failure == nil { log.failed(error) }
                        failure = failure ?? error
                        if !engine.isDraining { startGrace(&group) }
                        let ended: EngineEvent = change.map { .recordAbandoned($0) } ?? .claimFailed(error)
                        effects = engine.handle(.drain, now: now) + engine.handle(ended, now: now)
                    }
                    for effect in effects {
                        if case .stop = effect { break loop }
                        perform(effect, at: now.instant, timer, &group)
                    }
                }
            }
            timer.cancel()
            requests.drain()
            group.cancelAll()
        }
        // After a cancellation too: what was handed to the ledger is committed before it may be closed.
        await records.settled()
        if let failure { throw failure }
    }

    private func perform(
        _ effect: EngineEffect,
        at instant: Instant,
        _ timer: OneShotTimer,
        _ group: inout DiscardingTaskGroup
    ) {
        switch effect {
        case .claim(let request):
            group.addTask { [self] in
                do throws(LedgerError) {
                    let start = time.now.uptime
                    let claim = try await ledger.claim(request, prepare: prepare)
                    let duration = time.now.uptime - start
                    log.claimed(claim, in: duration)
                    metrics?.claimed(claim, in: duration)
                    events.send(.claimed(claim))
                } catch {
                    events.send(error.isTransient ? .engine(.claimFailed(error)) : .failed(error, nil))
                }
            }
        case .submit(let job):
            request(.submit(job), &group)
        case .poll(let task) where steps?.isSuspected(.poll(task.attempt)) ?? false:
            // Suspects go one at a time; no worker waits for that.
            group.addTask { [self] in await poll(task, nil) }
        case .poll(let task):
            request(.poll(task), &group)
        case .download(let download):
            let stop = downloads.begin(download)
            group.addTask { [self] in
                await steps?.begin(.download(download.result))
                CrashFault.strike(.download(download.result))
                let start = time.now.uptime
                let outcome = await downloads.run(download, until: stop)
                metrics?.downloaded(outcome, in: time.now.uptime - start)
                events.send(.downloaded(download.result, outcome))
            }
        case .checkDownloads(let results):
            group.addTask { [self] in
                do throws(LedgerError) {
                    events.send(.downloadsChecked(unwanted: try await ledger.unwanted(results)))
                } catch {
                    events.send(.downloadsChecked(unwanted: nil))
                }
            }
        case .cancelDownload(let result):
            downloads.cancel(result)
        case .discard(let result, let file):
            group.addTask { [self] in
                do {
                    try await downloads.discard(file, of: result)
                } catch {
                    log.notRemoved(file, of: result, error)
                }
                events.send(.discarded(result))
            }
        case .checkBalance:
            group.addTask { [self] in
                let answer = await provider.balance()
                metrics?.balance((try? answer.get()) != nil)
                switch answer {
                case .success(let credits): events.send(.balance(credits))
                case .failure(let error): events.send(.balanceUnknown(error.failure))
                }
            }
        case .record(let change):
            write(change, at: instant)
        case .wake(let uptime):
            timer.set(uptime)
        case .notify(let notice):
            log.announce(notice)
            metrics?.announced(notice)
            // What waits for a connection does not try in its turn whether there is one.
            if case .gateClosed(.provider, let message) = notice { requests.refuseWaiting(message) }
        case .stop:
            break
        }
    }

    private func request(_ request: ProviderRequest, _ group: inout DiscardingTaskGroup) {
        guard requests.add(request, at: time.now.uptime) else { return }
        group.addTask { [self] in
            while let (request, refusal) = requests.next(at: time.now.uptime) {
                switch request {
                case .submit(let job): await submit(job, refusal)
                case .poll(let task): await poll(task, refusal)
                }
            }
        }
    }

    private func submit(_ job: ClaimedJob, _ refusal: String?) async {
        if let refusal = refusal ?? reasonNotToSend {
            events.send(.submitted(job.attempt, .notSent(Failure(.notSent, refusal))))
            return
        }
        let start = time.now.uptime
        let outcome = await provider.submit(job)
        metrics?.submitted(outcome, in: time.now.uptime - start)
        events.send(.submitted(job.attempt, outcome))
    }

    private var reasonNotToSend: String? {
        if Task.isCancelled { return RequestQueue.stopped }
        return ledger.maySend ? nil : "the database could not be told that this promptd is alive, so nothing was sent"
    }

    private func poll(_ task: OpenTask, _ refusal: String?) async {
        if let refusal {
            events.send(.polled(task.attempt, .unavailable(Failure(.providerUnavailable, refusal))))
            return
        }
        await steps?.begin(.poll(task.attempt))
        let start = time.now.uptime
        let answer = await provider.poll(task.task)
        let end = time.now
        metrics?.polled(answer.outcome, in: end.uptime - start, age: end.instant - task.acceptedAt)
        CrashFault.strike(.poll(task.attempt))
        events.send(.polled(task.attempt, answer.outcome, origin: answer.origin))
    }

    /// Commits a change, without a task of its own: there are many, and nearly none fails.
    private func write(_ change: LedgerChange, at instant: Instant) {
        records.enter()
        ledger.record(change, now: instant) { [events, records, tellOthers] result in
            switch result {
            case .success(let recorded):
                events.send(.recorded(change, recorded))
                if let tellOthers, let mayBeDue = change.makesDueElsewhere(recorded) { tellOthers(mayBeDue) }
            case .failure(let error):
                events.send(.unrecorded(change, at: instant, error))
            }
            records.leave()
        }
    }

    /// Commits a change that could not be committed, again and again while waiting may help.
    private func retry(
        _ change: LedgerChange,
        at instant: Instant,
        after error: LedgerError,
        in group: inout DiscardingTaskGroup
    ) {
        group.addTask { [self] in
            var error = error
            // Whatever becomes of this process, the answer to a paid request is not lost.
            keep(change, at: instant, error)
            if error.isTransient { events.send(.recordStalled(error)) }
            while error.isTransient {
                do {
                    try await time.sleep(until: time.now.uptime + .seconds(1))
                } catch {
                    // Cut off at the end of the grace: the attempt stays as it is and is put in order at the next start.
                    events.send(.failed(LedgerError(.full, "stopped before everything could be recorded"), change))
                    return
                }
                do throws(LedgerError) {
                    let recorded = try await ledger.record(change, now: instant)
                    events.send(.recordResumed)
                    events.send(.recorded(change, recorded))
                    if let tellOthers, let mayBeDue = change.makesDueElsewhere(recorded) { tellOthers(mayBeDue) }
                    return
                } catch let new {
                    error = new
                }
            }
            events.send(error.code == .constraint ? .refused(change, error) : .failed(error, change))
        }
    }

    private func keep(_ change: LedgerChange, at instant: Instant, _ error: LedgerError) {
        guard let journal, change.outcome != nil else { return }
        do throws(LedgerError) {
            try journal.append(change, at: instant)
            log.kept(change, error)
        } catch let failure {
            log.notKept(change, failure)
        }
    }

    private func startGrace(_ group: inout DiscardingTaskGroup) {
        log.draining(grace)
        requests.drain()
        group.addTask { [self] in
            // Cancelled when everything has ended in time.
            guard (try? await time.sleep(until: time.now.uptime + grace)) != nil else { return }
            events.send(.graceOver)
        }
    }
}

extension EngineEvent {
    /// What was under way and is over with this, and whether all of it was done.
    fileprivate var endedStep: (step: RiskyStep, isDone: Bool)? {
        if case .polled(let attempt, let outcome, _) = self {
            let isAnswered = if case .unavailable = outcome { false } else { true }
            return (.poll(attempt), isAnswered)
        }
        guard case .downloaded(let result, let outcome) = self else { return nil }
        let isSaved = if case .saved = outcome { true } else { false }
        return (.download(result), isSaved)
    }
}
