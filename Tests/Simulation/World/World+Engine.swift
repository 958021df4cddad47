import PromptQueue

// The simulation's contact with the engine and the ledger: what the daemon's runner does, in a fixed order.

/// What happens to the daemon's process alone.
enum DaemonOccurrence {
    case tick(Int)
    case commit(LedgerOperation)
    /// The outcome of an effect.
    case answer(EngineEvent)
    case notice
    case upkeep
    case beat
    case callback(AttemptID, task: String)
    case graceOver
    case killed
}

/// A call of the ledger that is under way.
struct LedgerOperation {
    enum Call {
        case claim(ClaimRequest)
        case record(LedgerChange)
    }

    var call: Call
    /// When it was decided.
    var instant: Instant
    var hasStalled = false
}

extension World {
    private static var grace: Duration { .seconds(25) }

    func later(_ occurrence: DaemonOccurrence, in delay: Duration) {
        agenda.add(.daemon(life: life, occurrence), at: now + delay)
    }

    func happen(_ occurrence: DaemonOccurrence) async throws {
        switch occurrence {
        case .tick(let number):
            guard number == daemon.wakes else { return }
            daemon.wake = nil
            try await tell(.tick)
        case .commit(let operation):
            try await commit(operation)
        case .answer(let event):
            guard isExpected(event) else { return }
            daemon.outstanding -= 1
            try await tell(event)
        case .notice:
            try await notice()
        case .upkeep:
            try await upkeep()
        case .beat:
            try await beat()
        case .callback(let attempt, let task):
            try await callback(attempt, task)
        case .graceOver:
            try await cutOff()
        case .killed:
            throw Violation(.drain, "the engine has not stopped 10 s after everything was cut off")
        }
    }

    /// What the listener makes of a callback: it looks up the attempt by its token, and passes on what is open.
    private func callback(_ attempt: AttemptID, _ task: String) async throws {
        trace.note(now, "callback", attempt.rawValue)
        guard !isLedgerAway || !hasSeveral else { return }
        guard let row = try place.rows("SELECT token FROM attempts WHERE id = ?", [attempt.rawValue]).first,
            let target = try await place.ledger.hintTarget(token: AttemptToken(row["token"])), target.isOpen
        else { return }
        if let keeper = target.keeper {
            // The one that asks is told.
            if target.needsNote(of: TaskID(task)) { try await place.ledger.noteHint(attempt, task: TaskID(task)) }
            guard let other = daemons.first(where: { $0.member == keeper && $0.engine != nil }) else { return }
            agenda.add(
                .daemon(life: other.life, .callback(attempt, task: task)),
                at: now + network.milliseconds(1...20)
            )
            return
        }
        if target.needsNote(of: TaskID(task)) { try await place.ledger.noteHint(attempt, task: TaskID(task)) }
        try await tell(.hinted(attempt, candidate: target.task == nil ? target.candidate(TaskID(task)) : nil))
    }

    // MARK: - Life of the process

    func start() async throws {
        guard !isUp, !daemon.isDead else { return }
        guard !isLedgerAway, daemon.frozenUntil <= now else { return agenda.add(.start(turn), at: now + .seconds(5)) }
        trace.note(now, "start", Int64(life))
        let moment = moment
        try await place.open()
        daemon.lastBeat = now
        let identity = DaemonIdentity(
            processID: Int32(life + 1),
            version: "simulated",
            rate: plan.settings.rate,
            runningLimit: plan.settings.running
        )
        try await place.ledger.begin(identity, now: moment.instant)
        let point = nextCrashPoint()
        if point == .beforeCommit { return try await restartAfterCrash() }
        if let held = try await place.takeOver(now: moment.instant) {
            throw Violation(.recording, "the store is held at a start: \(held)")
        }
        let recovery = try await place.ledger.recover(now: moment.instant, rate: plan.settings.rate)
        if hasSeveral {
            try noteTakenOver()
        } else {
            for entry in books.sorted where entry.state == .sending { books.move(entry.attempt, to: .unknown) }
        }
        if point == .afterCommit { return try await restartAfterCrash() }
        if let jump = lastJump, !place.hasOwnClock {
            // All that a start has is the ledger's instants, and they are of another clock.
            if now - jump < plan.settings.rate.window { rateUnknownUntil = now + plan.settings.rate.window }
            let late = LateArrival.longest + plan.settings.rate.window
            if now - jump < late, plan.faults.held > 0 { rateUnknownUntil = now + late }
        }
        daemon.startedAt = now
        daemon.member = try place.ledger.memberNumber
        noteRules()
        engine = Engine(settings: plan.settings, seed: accidents.seed())
        planUpkeep()
        if hasSeveral { later(.beat, in: accidents.milliseconds(1_000...5_000)) }
        try await tell(.started(recovery))
    }

    func crash() async throws {
        trace.note(now, "crash", Int64(life))
        try await restartAfterCrash()
    }

    private func restartAfterCrash() async throws {
        crashes += 1
        endLife()
        if plan.copiesFiles {
            try await place.moveToCopy()
        } else if accidents.happens(0.5) || place.hasOwnClock {
            try await place.reopen()
        }
        // Longer than a request needs to arrive: what the dead process has sent comes before its successor's.
        agenda.add(.start(turn), at: now + accidents.milliseconds(1_500...(accidents.happens(0.2) ? 600_000 : 8_000)))
    }

    func endLife() {
        daemon.begin(life: hasSeveral ? nextLife : life + 1)
        nextLife += 1
    }

    func drain() async throws {
        trace.note(now, "drain")
        daemon.isDraining = true
        later(.graceOver, in: Self.grace)
        later(.killed, in: Self.grace + .seconds(10))
        try await tell(.drain)
    }

    private func stopped() async throws {
        trace.note(now, "stopped")
        guard isDraining else { throw Violation(.drain, "the engine stopped without being asked to") }
        if !isCutOff, let left = books.sorted.first(where: { $0.state == .sending && $0.owner == life }) {
            throw Violation(.drain, "the engine stopped and left attempt \(left.attempt) as if it were being sent")
        }
        if !isLedgerAway || !hasSeveral { try await place.ledger.end(now: moment.instant) }
        endLife()
        try await place.reopen()
        agenda.add(.start(turn), at: now + accidents.milliseconds(1_500...60_000))
    }

    /// What is still under way at the end of the grace is given up, as the runner's cancelled tasks do.
    private func cutOff() async throws {
        trace.note(now, "cut off")
        daemon.isCutOff = true
        for attempt in daemon.submissionsUnderWay.sorted() {
            later(.answer(.submitted(attempt, .unknown(Failure(.answerLost, "cut off")))), in: .zero)
        }
        for attempt in daemon.pollsUnderWay.sorted() {
            later(.answer(.polled(attempt, .unavailable(Failure(.providerUnavailable, "cut off")))), in: .zero)
        }
        for result in daemon.downloadsUnderWay.sorted(by: { ($0.job, $0.ordinal) < ($1.job, $1.ordinal) }) {
            later(.answer(.downloaded(result, .failed(.interrupted, message: "cut off"))), in: .zero)
        }
    }

    func reload() async throws {
        if !hasSettled {
            let old = plan.settings
            plan.settings = Plan.settings(&accidents)
            plan.settings.downloadsEnabled = old.downloadsEnabled
            plan.settings.balanceInterval = old.balanceInterval
        }
        weather.end(.keyRefused)
        trace.note(now, "reload", Int64(plan.settings.rate.count), Int64(plan.settings.running))
        noteRules()
        for index in daemons.indices {
            turn = index
            if isUp { try await tell(.reloaded(plan.settings)) }
        }
    }

    private func noteRules() {
        switch plan.settings.account.unconfirmedPolicy {
        case .hold: break
        case .evidence: hasTrustedBalance = true
        case .resubmit: hasResubmitted = true
        }
    }

    // MARK: - The engine

    /// Each request is answered once: a late answer to one that was cut off is nobody's.
    private func isExpected(_ event: EngineEvent) -> Bool {
        switch event {
        case .submitted(let attempt, _): daemon.submissionsUnderWay.remove(attempt) != nil
        case .polled(let attempt, _, _): daemon.pollsUnderWay.remove(attempt) != nil
        case .downloaded(let result, _): daemon.downloadsUnderWay.remove(result) != nil
        default: true
        }
    }

    func tell(_ event: EngineEvent) async throws {
        eventsAtOnce = eventsAtOnce.at == now ? (now, eventsAtOnce.count + 1) : (now, 1)
        guard eventsAtOnce.count < 20_000 else { throw Violation(.wake, "20,000 events in one instant") }
        let moment = moment
        noteLastAttempts(event)
        let effects = engine?.handle(event, now: moment) ?? []
        var stops = false
        for effect in effects {
            switch effect {
            case .claim(var request):
                if plan.isGreedy { request.limit = plan.settings.claimLimit }
                claims += 1
                if claims == plan.stopAtClaim { agenda.add(.restart, at: now) }
                daemon.outstanding += 1
                later(.commit(LedgerOperation(call: .claim(request), instant: moment.instant)), in: commitDelay())
            case .record(let change):
                daemon.outstanding += 1
                try checkAttempts(change)
                let operation = LedgerOperation(call: .record(change), instant: moment.instant)
                if case .gates(let notes) = change {
                    daemon.gatesDue = notes.filter { Self.isProbed($0.name) }
                        .compactMap { note in note.reopensAt.map { now + ($0 - moment.instant) } }
                }
                later(.commit(operation), in: commitDelay())
            case .submit(let job):
                daemon.outstanding += 1
                daemon.submissionsUnderWay.insert(job.attempt)
                try send(job)
            case .poll(let task):
                daemon.outstanding += 1
                daemon.pollsUnderWay.insert(task.attempt)
                try ask(task)
            case .download(let download):
                daemon.outstanding += 1
                daemon.downloadsUnderWay.insert(download.result)
                fetch(download)
            case .checkDownloads(let results):
                daemon.outstanding += 1
                let unwanted = isLedgerAway && hasSeveral ? nil : try await place.ledger.unwanted(results)
                later(.answer(.downloadsChecked(unwanted: unwanted)), in: disk.milliseconds(0...20))
            case .cancelDownload(let result):
                guard daemon.downloadsUnderWay.contains(result) else { continue }
                let outcome = DownloadOutcome.failed(.interrupted, message: "cancelled")
                later(.answer(.downloaded(result, outcome)), in: .zero)
            case .discard(let result, _):
                daemon.outstanding += 1
                later(.answer(.discarded(result)), in: disk.milliseconds(0...20))
            case .checkBalance:
                daemon.outstanding += 1
                readBalance()
            case .wake(let time):
                guard time >= moment.uptime else {
                    throw Violation(.wake, "asked to be woken \((moment.uptime - time).milliseconds) ms ago")
                }
                let at = time + daemon.slept
                daemon.wakes += 1
                daemon.wake = at
                agenda.add(.daemon(life: life, .tick(daemon.wakes)), at: at)
            case .notify:
                break
            case .stop:
                stops = true
            }
        }
        if stops { try await stopped() }
    }

    /// Whether time alone lets a gate be tried; the others wait for a balance, a disk, a budget's period.
    private static func isProbed(_ gate: String) -> Bool {
        gate == "provider" || gate == "key" || gate.hasPrefix("model:")
    }

    private func commitDelay() -> Duration { disk.milliseconds(0...4) }

    // MARK: - The ledger

    func nextCrashPoint() -> Plan.CrashPoint? {
        commits += 1
        return plan.crashAtCommit[commits]
    }

    private func commit(_ operation: LedgerOperation) async throws {
        guard !isLedgerAway else { return try await stall(operation) }
        let point = nextCrashPoint()
        if point == .beforeCommit { return try await crash() }
        let event: EngineEvent
        do {
            switch operation.call {
            case .claim(let request):
                try forgetDeleted()
                let claim = try await place.ledger.claim(request, prepare: Prices.prepare)
                try book(claim, request)
                if !claim.jobs.isEmpty || !claim.refused.isEmpty { planUpkeep() }
                event = .claimed(claim)
            case .record(let change):
                planUpkeep()
                event = .recorded(change, try await record(change, operation))
            }
        } catch let error as LedgerError where error.code == .fenced && hasSeveral {
            daemon.outstanding -= 1
            try await tell(.claimFailed(error))
            return try await beginAnew()
        } catch let error as LedgerError {
            throw Violation(.recording, "\(error.code): \(error.message), for \(operation.call)")
        }
        if point == .afterCommit { return try await crash() }
        if operation.hasStalled { try await tell(.recordResumed) }
        later(.answer(event), in: disk.milliseconds(0...2))
    }

    private func record(_ change: LedgerChange, _ operation: LedgerOperation) async throws -> CommitResult {
        let recorded = try await place.ledger.record(change, now: operation.instant)
        try book(change, recorded)
        // The commit was made, but its outcome did not come back: the runner tries again.
        guard disk.happens(plan.faults.recordTwice) else { return recorded }
        let again = try await place.ledger.record(change, now: operation.instant)
        try checkTotal()
        return again
    }

    /// The runner tries a record again each second, until it can be written or the grace is over.
    private func stall(_ operation: LedgerOperation) async throws {
        let error = LedgerError(.full, "the disk is full")
        guard case .record(let change) = operation.call else {
            daemon.outstanding -= 1
            return try await tell(.claimFailed(error))
        }
        guard !isCutOff else {
            daemon.outstanding -= 1
            return try await tell(.recordAbandoned(change))
        }
        var next = operation
        next.hasStalled = true
        later(.commit(next), in: .seconds(1))
        if !operation.hasStalled { try await tell(.recordStalled(error)) }
    }
}
