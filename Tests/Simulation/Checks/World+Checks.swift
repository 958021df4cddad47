import PromptQueue

// What must hold after every step.

extension World {
    // MARK: - Claims

    func checkClaimed(_ job: ClaimedJob, _ request: ClaimRequest) throws {
        if books[job.attempt] != nil { throw Violation(.books, "attempt \(job.attempt) was claimed twice") }
        if paused.contains(job.queue) {
            throw Violation(.claim, "job \(job.job) was claimed from the paused queue \(job.queue)")
        }
        if job.attemptCount > job.maxAttempts {
            throw Violation(
                .attemptCount,
                "job \(job.job) was claimed for attempt \(job.attemptCount) of \(job.maxAttempts)"
            )
        }
        let runAt = try place.number("SELECT run_at FROM jobs WHERE id = ?", [job.job.rawValue])
        if runAt > latestClaim.milliseconds {
            throw Violation(.claim, "job \(job.job) was claimed \(runAt - latestClaim.milliseconds) ms before its time")
        }
        try checkSources(job.job)
        try checkUploads(job)
        try checkUnresolved(job.job, except: job.attempt)
        try checkOneOpenAttempt()
    }

    /// Notes which attempts are the last that their jobs may have.
    func noteLastAttempts(_ event: EngineEvent) {
        func note(_ attempt: AttemptID, _ count: Int, _ maximum: Int) {
            if count >= maximum { daemon.lastAttempts.insert(attempt) } else { daemon.lastAttempts.remove(attempt) }
        }
        switch event {
        case .claimed(let claim):
            for job in claim.jobs { note(job.attempt, job.attemptCount, job.maxAttempts) }
        case .started(let recovery), .resumed(let recovery):
            for task in recovery.tasks { note(task.attempt, task.attemptCount, task.maxAttempts) }
        case .hinted(_, let task?):
            note(task.attempt, task.attemptCount, task.maxAttempts)
        default:
            break
        }
    }

    /// The ledger would not let a job have more attempts than it may; the engine does not ask for them either.
    func checkAttempts(_ change: LedgerChange) throws {
        switch change {
        case .rejected(let attempt, let failure, .retry(_, counted: true)),
            .taskFailed(let attempt, let failure, _, .retry(_, counted: true), _):
            guard daemon.lastAttempts.contains(attempt) else { return }
            throw Violation(.attemptCount, "attempt \(attempt) was the last, and is tried again after \(failure.code)")
        default:
            return
        }
    }

    /// A claim may fill a budget and no more; what settlements above the estimate did to it is no excuse.
    func checkBudgets(_ claim: Claim, _ request: ClaimRequest) throws {
        for budget in budgets.values {
            guard claim.jobs.contains(where: { books[$0.attempt].map(budget.concerns) ?? false }) else { continue }
            let committed = books.committed(to: budget, since: budget.start(at: instant(of: request)))
            if committed > budget.limit {
                throw Violation(
                    .budget,
                    "after a claim \(budget.name) (\(budget.period.rawValue)) holds \(committed) of \(budget.limit)"
                )
            }
        }
    }

    func checkPlaces(_ claim: Claim, _ request: ClaimRequest) throws {
        let running = try place.number(
            "SELECT count(*) FROM attempts WHERE finished_at IS NULL AND state IN ('sending', 'accepted')"
        )
        if running > request.runningLimit {
            throw Violation(.claim, "\(running) tasks at once, with a limit of \(request.runningLimit)")
        }
        for queue in Set(claim.jobs.map(\.queue)) {
            guard let limit = places[queue] else { continue }
            let running = try place.number(
                "SELECT count(*) FROM jobs WHERE queue = ? AND state IN ('submitting', 'running')",
                [queue]
            )
            if running > limit {
                throw Violation(.claim, "\(running) jobs of \(queue) at once, with a limit of \(limit)")
            }
        }
    }

    // MARK: - Requests

    func checkArrival(_ request: SimulatedProvider.Request) throws {
        guard let entry = books[request.attempt] else {
            throw Violation(.taskHasAttempt, "a request arrived that no attempt stands for")
        }
        if provider.task(of: request.attempt) != nil {
            throw Violation(.nothingPaidTwice, "attempt \(request.attempt) was sent twice")
        }
        if takenOver.contains(request.attempt), !heldRequests.contains(request.attempt) {
            throw Violation(
                .lease,
                "attempt \(request.attempt) was counted as lost and given to others, and arrives now"
            )
        }
        try checkUnresolved(request.job, except: request.attempt)
        let problem = submissionArrivals.note(at: now, order: request.attempt.rawValue, limit: entry.rate)
        // A start cannot know of slots that were busy before the wall clock was set forward.
        if let problem, now > rateUnknownUntil { throw Violation(.rate, problem) }
    }

    /// Nothing that may have been billed for a job is open, or has brought results, when another request is made.
    private func checkUnresolved(_ job: JobID, except attempt: AttemptID) throws {
        for other in books.attempts(of: job) where other.attempt < attempt && !handled.contains(other.attempt) {
            switch other.state {
            case .sending, .unknown, .accepted:
                throw Violation(
                    .nothingPaidTwice,
                    "attempt \(attempt) of job \(job) while attempt \(other.attempt) is \(other.state)"
                )
            case .ended:
                guard let task = provider.task(of: other.attempt), task.hasSucceeded else { continue }
                if task.vanishesAt == nil {
                    throw Violation(
                        .nothingPaidTwice,
                        "attempt \(attempt) of job \(job), which already has the results of \(task.id)"
                    )
                }
            case .rejected, .denied, .cleared, .givenUp:
                continue
            }
        }
    }

    // MARK: - Money

    func checkTotal() throws {
        // In large runs the sum over all attempts is expensive; the end looks at each of them anyway.
        if plan.scale == .bulk, commits % 50 != 0 { return }
        let total = try place.number(
            "SELECT coalesce(sum(reserved_millicredits + coalesce(charged_millicredits, 0)), 0) FROM attempts"
        )
        if total != books.total {
            throw Violation(.books, "the ledger holds \(total) millicredits, what happened gives \(books.total)")
        }
    }

    // MARK: - Life

    /// With nothing under way and no wake to come, there must be nothing to do.
    func checkLiveness() throws {
        guard !hasSeveral, isUp, !isDraining, outstanding == 0, daemon.wake == nil, notices == 0,
            !daemon.isUpkeepPlanned
        else { return }
        if let work = try openWork() { throw Violation(.liveness, "the engine sleeps for ever, but there is \(work)") }
    }

    /// What can be done now, or from a known time on, does not wait for a wake that is far away.
    func checkPunctuality() throws {
        guard !hasSeveral, isUp, !isDraining, outstanding == 0, notices == 0 else { return }
        // Instants of the ledger tell nothing of the time that has passed when the clock was set.
        guard plan.jumps.isEmpty else { return }
        let wake = daemon.wake ?? .seconds(Int64.max / 2_000_000_000)
        // Notes are in whole milliseconds.
        if let due = gatesDue.filter({ $0 > now + .milliseconds(1) }).min(), wake > due + .seconds(1) {
            throw Violation(
                .wake,
                "a closed gate may be tried in \((due - now).milliseconds) ms, and nothing wakes the engine then"
            )
        }
        try checkClaimed(wake: wake)
    }

    /// A job that could be claimed is soon asked for: it waits neither for a wake that is far away, nor while the engine
    /// wakes time and again for other things.
    private func checkClaimed(wake: Duration) throws {
        // A gate that may be tried by now holds nothing up; what a user has just written may have reached nobody yet.
        // Strangers may have made a job look claimable that is not.
        // A ledger that could not be written is tried again with a backoff that it knows nothing of.
        guard !isTampered, engine?.isHeldByLedger != true, !gatesDue.contains(where: { $0 > now }),
            now - lastStir > .seconds(6)
        else { return }
        // The question is expensive. Before a long sleep it is always asked.
        guard now >= nextRoomLook || (agenda.next ?? now) - now > claimPatience else { return }
        nextRoomLook = now + .seconds(2)
        guard plan.scale != .bulk || wake - now > .seconds(30), let job = try claimableJob() else {
            claimableSince = nil
            return
        }
        let since = claimableSince.flatMap { $0.claims == claims && $0.life == life ? $0.at : nil } ?? now
        claimableSince = (since, claims, life)
        guard wake - since > claimPatience else { return }
        throw Violation(
            .wake,
            "job \(job) could be claimed \((now - since).milliseconds) ms ago, and nothing asks for it before "
                + "\((wake - now).milliseconds) ms from now"
        )
    }

    /// How long a job may be claimable before a claim asks for it: a slot that somebody's word has freed the engine may
    /// take for busy until its window has passed.
    private var claimPatience: Duration {
        let long = plan.settings.rate.window * 2 + .seconds(30)
        return slotFreedAt.map { now - $0 < long } ?? false ? long : .seconds(10)
    }

    /// A job that waits for nothing at all, so certainly that a doubt counts as something to wait for.
    private func claimableJob() throws -> Int64? {
        let window = plan.settings.rate.window.milliseconds
        let instant = ledgerNow.milliseconds
        return try place.rows(
            """
            SELECT j.id FROM jobs AS j JOIN queues AS q ON q.name = j.queue
            WHERE j.state = 'queued' AND \(place.dialect.hasTurn) AND coalesce(j.turn, 0) >= 0 AND q.paused = 0
                AND coalesce(q.max_running, 1000000) > (SELECT coalesce(sum(c.jobs), 0) FROM queue_counts AS c
                    WHERE c.queue = q.name AND c.state IN ('submitting', 'running'))
                AND NOT EXISTS (SELECT 1 FROM gates
                    WHERE name NOT IN ('provider', 'key') AND name NOT LIKE 'model:%')
                AND NOT EXISTS (SELECT 1 FROM budgets)
                AND (SELECT credit_reserve_millicredits FROM accounts WHERE name = 'default') = 0
                AND (SELECT count(*) FROM attempts WHERE finished_at IS NULL AND state IN ('sending', 'accepted')) < ?
                AND NOT EXISTS (SELECT 1 FROM attempts WHERE answered_at > ?)
                AND NOT EXISTS (SELECT 1 FROM attempts WHERE error_code = 'rate_limited' AND answered_at > ?)
                AND (SELECT count(*) FROM attempts WHERE arrives_until > ?) < ?
            LIMIT 1
            """,
            [
                plan.settings.running, instant - 2 * window, instant - 1_800_000, instant - 2 * window,
                plan.settings.rate.count,
            ]
        )
        .first?[0]
    }

    /// The engine does not ask for slots of the rate window that it has filled itself: the ledger would refuse them, and
    /// each such claim locks the database for nothing.
    func checkWindowKnown(_ claim: Claim, _ request: ClaimRequest) throws {
        guard claim.jobs.isEmpty, claim.refused.isEmpty, claim.nextSlotAt != nil else { return }
        // What an earlier process filled, or a lost request holds, or another clock says, it learns by asking.
        // A store with a clock of its own stamps an answer when it hears of it, a moment after the engine did.
        guard !place.hasOwnClock, !plan.isGreedy, plan.jumps.isEmpty, plan.reloads.isEmpty, !isTampered else { return }
        guard now - startedAt > request.rate.window * 2 else { return }
        let since = (request.now - request.rate.window).milliseconds
        guard try place.number("SELECT count(*) FROM attempts WHERE arrives_until > ?", [since]) == 0 else { return }
        throw Violation(.wake, "a claim asked for a slot of the rate window, and all of them were busy")
    }

    /// What the daemon could do something about, now or by the passing of time.
    private func openWork() throws -> String? {
        let row = try place.rows(
            """
            SELECT
                (SELECT count(*) FROM jobs AS j JOIN queues AS q ON q.name = j.queue
                    WHERE j.state = 'queued' AND coalesce(j.waits, 0) = 0 AND q.paused = 0
                        AND coalesce(q.max_running, 1000000) > (
                        SELECT coalesce(sum(c.jobs), 0) FROM queue_counts AS c
                        WHERE c.queue = q.name AND c.state IN ('submitting', 'running'))) AS queued,
                (SELECT count(*) FROM attempts WHERE state IN ('sending', 'accepted') AND finished_at IS NULL) AS open,
                (SELECT count(*) FROM results AS r JOIN jobs AS j ON j.id = r.job_id
                    WHERE r.state = 'pending' AND j.state = 'running') AS pending
            """
        ).first
        guard let row else { return nil }
        let queued: Int64 = row["queued"]
        let open: Int64 = row["open"]
        let pending: Int64 = row["pending"]
        return queued + open + pending == 0 ? nil : "\(queued) queued, \(open) open, \(pending) to download"
    }

    /// Every hour: whatever was paid for has been asked about lately.
    func patrol() throws {
        try checkChains()
        try checkWaits()
        if !provider.isBalanced { throw Violation(.bills, "the simulated provider's own account does not add up") }
        let over = try place.number("SELECT count(*) FROM jobs WHERE attempt_count > max_attempts")
        if over > 0 { throw Violation(.attemptCount, "\(over) jobs have more attempts than they may") }
        // An hour is the longest that the schedule leaves a task alone.
        let patience: Duration = .seconds(4_500)
        guard isUp, !isDraining, now - startedAt > patience else { return }
        if now - lastStir > .seconds(3_500) { try checkReasons() }
        try checkMediaGate()
        for entry in books.sorted where entry.state == .accepted && now - entry.lastPoll > patience {
            throw Violation(
                .tracking,
                "attempt \(entry.attempt) was last asked about \((now - entry.lastPoll).milliseconds / 1_000) s ago"
            )
        }
    }

    /// Submitting is stopped for the media disk only while a result waits for it: nothing else would find out that it
    /// can be written again.
    private func checkMediaGate() throws {
        guard !hasSeveral, outstanding == 0, notices == 0, now - lastStir > .seconds(10),
            !weather.has(.databaseFull, at: now)
        else { return }
        let isStuck = try place.number(
            """
            SELECT EXISTS (SELECT 1 FROM gates WHERE message LIKE '%' || ?)
                AND NOT EXISTS (SELECT 1 FROM results AS r JOIN jobs AS j ON j.id = r.job_id
                    WHERE r.state = 'pending' AND j.state = 'running')
            """,
            [GateKind.media.advice]
        )
        if isStuck > 0 { throw Violation(.liveness, "submitting waits for the media disk, and nothing tries it") }
    }

    /// Whoever asks why a job waits is told.
    private func checkReasons() throws {
        let waiting = try place.rows(
            """
            SELECT j.id FROM jobs AS j JOIN queue_status AS s ON s.queue = j.queue
            WHERE j.state = 'queued' AND coalesce(j.waits, 0) = 0 AND j.run_at <= ? AND s.blocked_by IS NULL LIMIT 1
            """,
            [(ledgerNow - .seconds(3_500)).milliseconds]
        )
        guard let row = waiting.first else { return }
        let job: Int64 = row["id"]
        throw Violation(.ending, "job \(job) has been due for an hour, and nothing shows why it waits")
    }
}
