/// Decides what to do next: a value that turns events into effects.
///
/// It does no I/O, reads no clock and starts no task, so that a year of behaviour can be run in a second, from a seed. The
/// runner feeds it one event at a time and carries out what it returns.
package struct Engine: Sendable {
    package internal(set) var settings: EngineSettings
    var random: SeededGenerator
    var retries = RetryPolicy()

    var window: RateWindow
    var ramp: SubmissionRamp
    var gates: [GateKind: Gate] = [:]
    var budgetHolds: [BudgetHold: (since: Moment, job: BudgetSkip)] = [:]
    /// Since when the rate window is shut, or smaller than it should be, because the provider refused a request.
    var rateRefusedAt: Moment?
    var account = AccountWatch()
    /// Nothing is claimed before this, or the first reading of the balance: what is spent meanwhile could not be compared.
    var firstReadingBy: Duration?
    var reach = Reach()
    /// Whether the key or the provider is well again, which no poll has been told yet.
    var isReachedAgain = false
    var backoffEndsNotBefore: Duration = .zero
    /// Requests whose answer was lost, as long as they are not settled.
    var lostAnswers: [AttemptID: LostAnswer] = [:]

    /// Requests under way.
    var submissions: [AttemptID: ClaimedJob] = [:]
    /// Tasks at the provider, those included whose acceptance or end is still being recorded.
    var tasks: [AttemptID: OpenTask] = [:]
    /// The last word of the provider about each task.
    var providerStates: [AttemptID: String] = [:]
    /// Since when, in uptime, the provider says that a task has succeeded and shows no result.
    var resultMissingSince: [AttemptID: Duration] = [:]
    /// Since when, in uptime, the provider has not known a task.
    var missingSince: [AttemptID: Duration] = [:]
    var polls: PollSchedule
    var downloads: DownloadQueue
    var downloadLook = DownloadLook()
    /// What callbacks asked for and have not brought yet.
    var hints: [AttemptID: Hint] = [:]
    /// What earlier callbacks led to, so that the same ones again lead to less.
    var followedHints: [AttemptID: FollowedHint] = [:]

    /// The first moment, and how far the wall clock has been from it at most, by the monotonic one.
    private(set) var drift = ClockDrift()
    /// The last attempt that was claimed.
    var lastClaimed = AttemptID(0)
    var isStarted = false
    package private(set) var isDraining = false
    var isClaiming = false
    var hasStopped = false
    /// Whether the queue may hold jobs that are due.
    var mayHaveDue = true
    var nextRunAt: Instant?
    /// What was learnt of the queue while a claim was out, which its outcome cannot know.
    var dueWhileClaiming = false
    var runAtWhileClaiming: Instant?
    /// Whether jobs wait for a place in a queue with a limit of its own.
    var waitsForPlace = false
    /// Whether jobs wait for room in a budget.
    var waitsForBudget = false
    /// When to look again whether a budget's new period has begun.
    var nextBudgetLook: Duration?
    /// No claim before this: the ledger counts a slot as busy that the engine thought free.
    var claimNotBefore: Duration = .zero
    /// Whether all slots are kept by requests whose answer was lost.
    var waitsForLostSlot = false
    var recordsUnderWay = 0
    var pollsUnderWay = 0
    var lastWake: Duration?

    package init(settings: EngineSettings, seed: UInt64) {
        self.settings = settings
        random = SeededGenerator(seed: seed)
        window = RateWindow(limit: settings.rate)
        ramp = SubmissionRamp(first: settings.firstSubmissions)
        polls = PollSchedule(pace: RateLimit(count: settings.pollsPerSecond, window: .seconds(1)))
        polls.expectsCallbacks = settings.callbacksEnabled
        downloads = DownloadQueue(concurrency: settings.concurrentDownloads)
    }

    private mutating func noteClock(_ now: Moment) {
        let (claimed, sent) = (lastClaimed, submissions)
        drift.note(now, within: LateArrival.longest + settings.rate.window * 2) {
            sent.keys.min().map { AttemptID($0.rawValue - 1) } ?? claimed
        }
    }

    /// Whether nothing is claimed because the ledger could not be written: that gate cannot be noted in it.
    package var isHeldByLedger: Bool { gates[.disk] != nil }

    /// How many tasks the provider is working on, or may be. One that has ended, and is asked about once more because its
    /// job is tried again, is none of them.
    package var runningCount: Int {
        tasks.values.reduce(submissions.count) { $0 + ($1.endedAs == nil ? 1 : 0) }
    }

    package mutating func handle(_ event: EngineEvent, now: Moment) -> [EngineEffect] {
        var effects: [EngineEffect] = []
        noteClock(now)
        switch event {
        case .started(let recovery):
            isStarted = true
            takeOver(recovery, now: now)
            takeOver(refusals: recovery.refusedAt, shutUntil: recovery.shutUntil, now: now, &effects)
            if !recovery.hasComparison { firstReadingBy = now.uptime + Self.firstReadingPatience }
        case .ledgerChanged:
            account.shortage?.hasNews = true
            downloadLook.isDue = true
            noteDue()
        case .claimed(let claim):
            claimed(claim, now: now, &effects)
        case .claimFailed(let error):
            isClaiming = false
            close(.disk, message: error.message, now: now, &effects)
        case .submitted(let attempt, let outcome):
            let meaning = self.outcome(outcome, of: attempt)
            submitted(attempt, outcome, now: now, &effects)
            keepHint(of: attempt, after: meaning, now: now)
        case .polled(let attempt, let outcome, let origin):
            pollsUnderWay -= 1
            noteReach(outcome, now: now, &effects)
            if hints[attempt] == nil {
                polled(attempt, outcome, now: now, &effects)
            } else {
                polledOnHint(attempt, outcome, origin, now: now, &effects)
            }
        case .downloaded(let result, let outcome):
            downloaded(result, outcome, now: now, &effects)
        case .downloadsChecked(let unwanted):
            downloadsChecked(unwanted, &effects)
        case .discarded(let result):
            downloads.leave(result)
        case .recordRefused(let change, let error):
            recordRefused(change, error, now: now, &effects)
        case .recordAbandoned:
            recordsUnderWay -= 1
        case .recorded(let change, let recorded):
            recordsUnderWay -= 1
            self.recorded(change, recorded, now: now)
            downloadRecorded(change, recorded, &effects)
            if case .accepted(let attempt, _, _) = change {
                acceptanceRecorded(attempt, recorded.refusal, now: now, &effects)
            }
            accountRecorded(change, recorded, now: now, &effects)
        case .recordStalled(let error):
            close(.disk, message: error.message, now: now, &effects)
        case .recordResumed:
            open(.disk, &effects)
        case .resumed(let recovery):
            takeOver(recovery, now: now)
        case .balance(let credits):
            noteReached(&effects)
            balanceRead(credits, now: now, &effects)
        case .balanceUnknown(let failure):
            // Of the provider it says nothing: everything else may be well.
            if failure.code == .keyRefused { noteUnreached(failure, now: now, &effects) }
            balanceUnreadable(now: now, &effects)
        case .hinted(let attempt, let candidate):
            hinted(attempt, candidate, now: now)
        case .reloaded(let new):
            open(.key, &effects)
            isReachedAgain = true
            backoffEndsNotBefore = .zero
            // The cap was the old key's.
            open(.keyCap, &effects)
            apply(new, &effects)
            apply(new.account, now: now, &effects)
        case .tick:
            lastWake = nil
            lookAgain(now: now)
        case .drain:
            isDraining = true
        }
        advance(now: now, &effects)
        return effects
    }

    private mutating func apply(_ new: EngineSettings, _ effects: inout [EngineEffect]) {
        guard
            new.rate != settings.rate || new.running != settings.running
                || new.pollsPerSecond != settings.pollsPerSecond || new.downloadsEnabled != settings.downloadsEnabled
        else { return }
        settings.rate = new.rate
        settings.running = new.running
        settings.pollsPerSecond = new.pollsPerSecond
        settings.downloadsEnabled = new.downloadsEnabled
        window.change(to: new.rate)
        polls.change(pace: RateLimit(count: new.pollsPerSecond, window: .seconds(1)))
        noteDue()
        record(.limits(new.rate, running: new.running), &effects)
    }

    /// There may be jobs that can be claimed.
    mutating func noteDue() {
        mayHaveDue = true
        if waitsForLostSlot {
            waitsForLostSlot = false
            claimNotBefore = .zero
        }
        if isClaiming { dueWhileClaiming = true }
    }

    /// A request whose answer was lost has arrived: its slot is free a window later.
    mutating func noteArrival(now: Moment) {
        guard waitsForLostSlot else { return }
        waitsForLostSlot = false
        claimNotBefore = min(claimNotBefore, now.uptime + window.limit.window)
    }

    mutating func record(_ change: LedgerChange, _ effects: inout [EngineEffect]) {
        recordsUnderWay += 1
        effects.append(.record(change))
    }

    private mutating func takeOver(_ recovery: Recovery, now: Moment) {
        for answered in recovery.answeredAt {
            // An instant in the future is from before the clock was set back: such a slot is held for a whole window.
            // One millisecond more, because the ledger keeps whole ones.
            let left = min((answered + window.limit.window) - now.instant + .milliseconds(1), window.limit.window)
            if left > .zero { window.occupy(until: now.uptime + left) }
        }
        polls.learn(recovery.history)
        takeOver(recovery.unknown, now: now)
        for task in recovery.tasks where tasks[task.attempt] == nil {
            lostAnswers[task.attempt] = nil
            tasks[task.attempt] = task
            polls.add(task.attempt, key: task.key, age: age(of: task, now: now), at: now.uptime)
            if task.endedAs != nil { polls.hurry(task.attempt, at: now.uptime) }
        }
        for download in recovery.downloads {
            takeUp(download, now: now)
        }
    }

    func age(of task: OpenTask, now: Moment) -> Duration {
        max(.zero, now.instant - task.acceptedAt)
    }
}
