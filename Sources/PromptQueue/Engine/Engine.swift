/// Decides what to do next: a value that turns events into effects.
///
/// It does no I/O, reads no clock and starts no task, so that a year of behaviour can be run in a second, from a seed. The
/// runner feeds it one event at a time and carries out what it returns.
///
/// What it knows is kept by machines that know nothing of each other: when to claim (`Claiming`), requests (`Submissions`),
/// tasks and questions about them (`Tasks`, `PollSchedule`), callbacks (`Hints`), lost answers (`LostAnswers`), results
/// (`Downloads`), the account (`Account`) and what is closed (`Gates`). The engine carries news from one to the other; what
/// is to be done because of it collects in the `Outbox`.
package struct Engine: Sendable {
    /// How long the first claim of a new ledger waits for the balance.
    private static let firstReadingPatience: Duration = .seconds(5)

    package internal(set) var settings: EngineSettings
    var random: SeededGenerator
    let retries = RetryPolicy()
    private(set) var drift = ClockDrift()
    private var phase = Phase()
    var outbox = Outbox()

    var claiming = Claiming()
    var submissions: Submissions
    var gates = Gates()
    var account = Account()
    var lostAnswers = LostAnswers()
    var tasks = Tasks()
    var polls: PollSchedule
    var hints = Hints()
    var downloads: Downloads

    /// Where the engine is between its start and its end.
    private struct Phase {
        var isStarted = false
        var isDraining = false
        var hasStopped = false
    }

    package init(settings: EngineSettings, seed: UInt64) {
        self.settings = settings
        random = SeededGenerator(seed: seed)
        submissions = Submissions(rate: settings.rate, first: settings.firstSubmissions)
        polls = PollSchedule(pace: settings.pollPace)
        polls.expectsCallbacks = settings.callbacksEnabled
        downloads = Downloads(concurrency: settings.concurrentDownloads)
    }

    package var isDraining: Bool { phase.isDraining }

    /// Whether nothing is claimed because the ledger could not be written: that gate cannot be noted in it.
    package var isHeldByLedger: Bool { gates.isClosed(.disk) }

    /// How many tasks the provider is working on, or may be.
    package var runningCount: Int { submissions.count + tasks.runningCount }

    package mutating func handle(_ event: EngineEvent, now: Moment) -> [EngineEffect] {
        noteClock(now)
        take(event, now: now)
        advance(now: now)
        if outbox.isDueForGateNotes { outbox.recordGates(gateNotes()) }
        return outbox.take()
    }

    private mutating func noteClock(_ now: Moment) {
        let (claimed, sent) = (claiming.last, submissions)
        drift.note(now, within: LateArrival.longest + settings.rate.window * 2) { sent.lastBeforeThese ?? claimed }
    }

    private mutating func take(_ event: EngineEvent, now: Moment) {
        switch event {
        case .started(let recovery):
            phase.isStarted = true
            takeOver(recovery, now: now)
            if submissions.takeOver(refusals: recovery.refusedAt, shutUntil: recovery.shutUntil, now: now) {
                // Those from which it has recovered need no word.
                recoverRate(at: now.uptime)
                if submissions.isRecovering { outbox.noteGates() }
            }
            if !recovery.hasComparison { claiming.waitForReading(until: now.uptime + Self.firstReadingPatience) }
        case .ledgerChanged:
            account.noteLedgerNews()
            downloads.noteLedgerNews()
            claiming.noteDue()
        case .claimed(let claim):
            claimed(claim, now: now)
        case .claimFailed(let error):
            claiming.end()
            close(.disk, message: error.message, now: now)
        case .submitted(let attempt, let outcome):
            submitted(attempt, outcome, now: now)
        case .polled(let attempt, let outcome, let origin):
            tasks.questionEnded()
            noteReach(outcome, now: now)
            if hints[attempt] == nil {
                polled(attempt, outcome, now: now)
            } else {
                polledOnHint(attempt, outcome, origin, now: now)
            }
        case .downloaded(let result, let outcome):
            downloaded(result, outcome, now: now)
        case .downloadsChecked(let unwanted):
            downloadsChecked(unwanted)
        case .discarded(let result):
            downloads.discarded(result)
        case .recordRefused(let change, let error):
            outbox.settled(change)
            recordRefused(change, error)
        case .recordAbandoned(let change):
            outbox.abandoned(change)
            // The next start fetches it again, or finds it; the end does not wait for it.
            if let result = change.result { downloads.setAside(result) }
        case .recorded(let change, let result):
            outbox.settled(change)
            recorded(change, result, now: now)
        case .recordStalled(let error):
            close(.disk, message: error.message, now: now)
        case .recordResumed:
            open(.disk)
        case .resumed(let recovery):
            takeOver(recovery, now: now)
        case .balance(let credits):
            noteReached()
            balanceRead(credits, now: now)
        case .balanceUnknown(let failure):
            // Of the provider it says nothing: everything else may be well.
            if failure.code == .keyRefused { noteUnreached(failure, now: now) }
            balanceUnreadable()
        case .settledElsewhere(let mayBeDue):
            if mayBeDue { claiming.noteDue() } else { claiming.noteRoom() }
        case .hinted(let attempt, let candidate):
            hinted(attempt, candidate, now: now)
        case .members(let count):
            settings.members = max(1, count)
            polls.change(pace: settings.pollPace)
        case .reloaded(let new):
            // The cap was the old key's.
            for kind in [GateKind.key, .keyCap] { open(kind) }
            polls.keyReloaded()
            apply(new)
        case .tick:
            outbox.ticked()
            // Time alone may have made room: a budget's new period, or the turn of a model's probe.
            if gates.hasModelToProbe(at: now.uptime) { claiming.noteDue() }
            claiming.lookAtBudgets(at: now.uptime)
        case .drain:
            phase.isDraining = true
        }
    }

    /// Takes over limits and rules that may change while the daemon runs.
    private mutating func apply(_ new: EngineSettings) {
        if new.rate != settings.rate || new.running != settings.running
            || new.pollsPerSecond != settings.pollsPerSecond || new.downloadsEnabled != settings.downloadsEnabled
        {
            settings.rate = new.rate
            settings.running = new.running
            settings.pollsPerSecond = new.pollsPerSecond
            settings.downloadsEnabled = new.downloadsEnabled
            submissions.change(to: new.rate)
            polls.change(pace: settings.pollPace)
            claiming.noteDue()
            outbox.record(.limits(new.rate, running: new.running))
        }
        if new.account != settings.account {
            settings.account = new.account
            claiming.noteDue()
            outbox.record(.rules(new.account))
        }
    }

    private mutating func takeOver(_ recovery: Recovery, now: Moment) {
        let window = settings.rate.window
        for answered in recovery.answeredAt {
            // An instant in the future is from before the clock was set back: such a slot is held for a whole window.
            // One millisecond more, because the ledger keeps whole ones.
            let left = min((answered + window) - now.instant + .milliseconds(1), window)
            if left > .zero { submissions.occupy(until: now.uptime + left) }
        }
        polls.learn(recovery.history)
        takeOver(recovery.unknown, now: now)
        for task in recovery.tasks where tasks[task.attempt] == nil {
            lostAnswers.settle(task.attempt)
            tasks.add(task)
            polls.add(task.attempt, key: task.key, age: task.age(at: now), at: now.uptime)
            if task.endedAs != nil { polls.hurry(task.attempt, at: now.uptime) }
        }
        for download in recovery.downloads { downloads.takeUp(download, at: now.uptime) }
    }

    // MARK: - Going on

    /// Starts whatever may start now, and says when to look again.
    private mutating func advance(now: Moment) {
        guard phase.isStarted, !phase.hasStopped else { return }
        if phase.isDraining {
            if isIdle {
                phase.hasStopped = true
                outbox.send(.stop)
            }
            return
        }
        recoverRate(at: now.uptime)
        giveUpLostAnswers(at: now.uptime)
        // Before the claim: a reading with nothing under way can be compared.
        askForBalance(now: now)
        claim(now: now)
        polls.endBackoffIfReached(at: now.uptime)
        askAboutTasks(at: now.uptime)
        let looked = downloads.takeLook(at: now.uptime)
        if !looked.isEmpty { outbox.send(.checkDownloads(looked)) }
        for download in downloads.takeReady(at: now.uptime) { outbox.send(.download(download)) }
        wake(now: now)
    }

    private var isIdle: Bool {
        !claiming.isUnderWay && submissions.isEmpty && outbox.isSettled && tasks.questions == 0
            && downloads.activeCount == 0
    }

    private mutating func wake(now: Moment) {
        var times: [Duration] = []
        if let due = polls.nextDue(at: now.uptime) { times.append(due) }
        if let ready = downloads.nextReady(after: now.uptime) { times.append(ready) }
        if let look = downloads.nextLook { times.append(look) }
        times += claiming.wakes(slot: submissions.nextSlot(at: now.uptime), now: now)
        times += gates.nextProbes(after: now.uptime, account)
        // A claim that was just asked for may have made the balance overdue.
        times += [nextBalanceQuestion, nextGivenUp].compactMap(\.self).map { max($0, now.uptime) }
        if let recovery = submissions.nextRecovery(at: now.uptime) { times.append(recovery) }
        if let next = times.min() { outbox.wake(at: next, now: now.uptime) }
    }
}
