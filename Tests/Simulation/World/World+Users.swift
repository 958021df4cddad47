import PromptQueue

// What producers and operators do, through SQL and promptctl's own calls.

extension World {
    func addJobs(_ count: Int) throws {
        guard canWrite() else { return agenda.add(.addJobs(count), at: now + .seconds(5)) }
        trace.note(now, "jobs", Int64(count))
        let batch = users.happens(0.5) ? "batch-\(jobs)" : nil
        let queue = users.pick(plan.queues)
        let model = users.happens(0.5) ? nil : users.pick(Prices.models)
        let spread = users.happens(0.3)
        var rows: [SimulatedArguments] = []
        for number in 0..<count {
            let isScheduled = users.happens(0.1)
            let runAt = isScheduled ? ledgerNow + users.part(of: .seconds(7_200)) : nil
            rows.append([
                users.happens(0.03) ? Prices.badPrompt : "a red fox", model ?? users.pick(Prices.models), queue,
                spread ? users.whole(-2...2) : 0, runAt?.milliseconds ?? 0, batch,
                users.draw([(6, 3), (1, 1), (1, 2), (1, 5)]), #"{"client":"c\#((jobs + number) % 3)"}"#,
            ])
        }
        if users.happens(plan.faults.strangeRow) { try addStrangeRow() }
        try place.runAll(
            """
            INSERT INTO jobs (prompt, model, queue, priority, run_at, batch, max_attempts, labels)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            rows
        )
        jobs += count
        // A refused row may have taken a number.
        if place.hasOwnClock { try countJobs() }
        if plan.chains > 0 { try addChains(count) }
        if plan.uploads > 0 { try addUploads(count) }
        noticeLater()
    }

    /// Settles a lost request as promptctl does; false while the ledger knows better.
    private func resolves(_ job: JobID, _ resolution: Resolution) throws -> Bool {
        let client = try place.client
        do throws(LedgerError) {
            try client.resolve(job, resolution, now: ledgerNow)
            slotFreedAt = now
            return true
        } catch {
            guard error.code == .constraint else { throw error }
            return false
        }
    }

    /// Nobody can write to a full disk.
    func canWrite() -> Bool { !weather.has(.databaseFull, at: now) }

    private enum Action {
        case cancel, retry, changeOfMind, resolve, pause, resume, places, budget, removeBudget, topUp, change, delete
    }

    func act() throws {
        guard canWrite() else { return }
        let action = users.draw([
            (4, Action.cancel), (3, .retry), (2, .changeOfMind), (3, .resolve), (1, .pause), (2, .resume), (1, .places),
            (2, .budget),
            (1, .removeBudget), (2, .topUp), (2, .change), (1, .delete),
        ])
        let job = users.whole(1...max(jobs, 1))
        trace.note(now, "user", Int64(job), text: "\(action)")
        switch action {
        case .cancel:
            let share = users.draw([(5, 1), (1, 3)])
            try place.run("UPDATE jobs SET state = 'cancelled' WHERE id = ?", [job])
            if share > 1 {
                for other in stride(from: job, through: jobs, by: share) {
                    try place.run("UPDATE jobs SET state = 'cancelled' WHERE id = ?", [other])
                }
            }
        case .retry:
            // What was refused is asked for in other words; the database knows of which jobs that is possible.
            if users.happens(0.4) {
                let sql = "UPDATE jobs SET state = 'queued', prompt = 'a tame fox' WHERE state = 'failed' AND id ="
                for other in job...min(job + 20, max(jobs, job)) { _ = try place.tries("\(sql) \(other)") }
            }
            for other in job...min(job + 10, max(jobs, job)) {
                try place.run(
                    "UPDATE jobs SET state = 'queued' WHERE id = ? AND state IN ('failed', 'cancelled')",
                    [other]
                )
            }
            // A person tries again whatever seems to hang. What is under way, or paid for, is none of his.
            if users.happens(0.5) {
                for row in try place.rows("SELECT id FROM jobs WHERE state = 'running' ORDER BY id LIMIT 20") {
                    _ = try place.tries("UPDATE jobs SET state = 'queued' WHERE id = \(row[0] as Int64)")
                }
            }
        case .changeOfMind:
            // Cancelled and tried again before anybody has looked: what is under way may end, or promptd, in between.
            for row in try place.rows("SELECT id FROM jobs WHERE state = 'running' ORDER BY id LIMIT 20") {
                for state in ["cancelled", "queued"] {
                    _ = try place.tries("UPDATE jobs SET state = '\(state)' WHERE id = \(row[0] as Int64)")
                }
            }
        case .resolve:
            return try settleUnconfirmed(share: 0.5)
        case .pause:
            try setPaused(true, users.pick(plan.queues))
        case .resume:
            for queue in paused.sorted() { try setPaused(false, queue) }
        case .places:
            try setPlaces(users.draw([(1, nil), (3, users.whole(0...4))]), users.pick(plan.queues))
        case .budget:
            try setBudget()
        case .removeBudget:
            if let name = budgets.keys.min() { try removeBudget(name) }
        case .topUp:
            provider.topUp(Int64(users.whole(10...500)) * 1_000)
        case .change:
            try place.run(
                "UPDATE jobs SET priority = ?, queue = ? WHERE id = ? AND state = 'queued'",
                [users.whole(-3...3), users.pick(plan.queues), job]
            )
        case .delete where job % 2 == 0:
            // As retention does: all that has ended by now.
            var filter = JobFilter()
            filter.finishedBefore = ledgerNow
            _ = try place.client.prune(
                PruneRequest(filter, limit: 3, removesFiles: job % 4 == 0),
                now: ledgerNow
            )
        case .delete:
            try place.run("DELETE FROM jobs WHERE id = ? AND state IN ('succeeded', 'failed', 'cancelled')", [job])
        }
        noticeLater()
    }

    // MARK: - Settings

    func setPaused(_ isPaused: Bool, _ queue: String) throws {
        try place.client.setPaused(isPaused, queue: queue)
        if isPaused { paused.insert(queue) } else { paused.remove(queue) }
        noticeLater()
    }

    func setPlaces(_ limit: Int?, _ queue: String) throws {
        try place.client.setMaxRunning(limit, queue: queue)
        places[queue] = limit
        noticeLater()
    }

    private func setBudget() throws {
        let queue = users.happens(0.5) ? nil : users.pick(plan.queues)
        let period = users.draw([
            (3, BudgetPeriod.hour), (2, .day), (1, .week), (1, .month), (1, .total),
        ])
        let model = users.happens(0.2) ? users.pick(Prices.models) : nil
        let client = users.happens(0.3) ? "c\(users.whole(0...2))" : nil
        var budget = SimulatedBudget(
            name: "\(queue ?? "all")/\(users.whole(1...2))",
            queue: queue,
            model: model,
            client: client,
            period: period,
            limit: Int64(users.whole(0...400)) * 1_000
        )
        if client != nil { budget.forgotten = try deleted() }
        try place.client.setBudget(
            budget.name,
            scope: budget.scope,
            period: period,
            limit: Credits(millicredits: budget.limit)
        )
        budgets[budget.name] = budget
        if place.isFolded { newBudgets.insert(budget.name) }
        // A budget that holds is looked at each minute; in long runs somebody lifts it after some hours.
        if plan.scale != .burst, plan.scale != .bulk {
            agenda.add(.liftBudget(budget.name), at: now + .seconds(14_400))
        }
    }

    /// Of what was sent, the jobs that are gone.
    private func deleted() throws -> Set<JobID> {
        try Set(books.sorted.map(\.job)).filter {
            try place.number("SELECT count(*) FROM jobs WHERE id = ?", [$0.rawValue]) == 0
        }
    }

    /// Where it is worked out before the next claim what counts towards a new budget, jobs that were deleted by then do not.
    func forgetDeleted() throws {
        for name in newBudgets where budgets[name]?.client != nil { budgets[name]?.forgotten = try deleted() }
        newBudgets = []
    }

    func removeBudget(_ name: String) throws {
        guard canWrite() else { return agenda.add(.liftBudget(name), at: now + .seconds(60)) }
        _ = try place.client.removeBudget(name)
        budgets[name] = nil
        noticeLater()
    }

    // MARK: - Unconfirmed jobs

    /// An operator looks up at the provider what became of jobs whose answer was lost.
    func settleUnconfirmed(share: Double = 1) throws {
        guard canWrite() else { return }
        let rows = try place.rows(
            """
            SELECT a.id, a.job_id FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id
            WHERE a.state = 'unknown' AND a.finished_at IS NULL AND j.state IN ('unconfirmed', 'cancelled')
            ORDER BY a.id
            """
        )
        for row in rows where users.happens(share) {
            let attempt = AttemptID(row[0])
            let job = JobID(row[1])
            let task = provider.task(of: attempt)
            trace.note(now, "resolve", attempt.rawValue, text: task?.id ?? "no task")
            if users.happens(hasSettled ? 0.1 : 0.2) {
                guard try resolves(job, .fail) else { continue }
                books.move(attempt, to: .givenUp)
            } else if let task {
                guard try resolves(job, .task(TaskID(task.id))) else { continue }
                books.move(attempt, to: .accepted)
                books.polled(attempt, at: now)
            } else if !heldRequests.contains(attempt) {
                // Whoever sees no task waits for as long as the request may still arrive.
                guard try resolves(job, .resubmit) else { continue }
                books.move(attempt, to: .denied, amount: 0)
            }
            noticeLater()
        }
        if hasSettled { agenda.add(.settleUnconfirmed, at: now + .seconds(600)) }
    }
}
