import PromptQueue

// What must hold when the dust has settled.

extension World {
    /// Whether anything may still change by itself.
    func hasWork() throws -> Bool {
        let open = try place.number(
            """
            SELECT (SELECT count(*) FROM jobs WHERE state IN ('submitting', 'running', 'unconfirmed'))
                + (SELECT count(*) FROM attempts WHERE finished_at IS NULL)
            """
        )
        return try open > 0 || !heldRequests.isEmpty || waitingJobs() > 0
    }

    /// Queued jobs that nothing holds for good.
    private func waitingJobs() throws -> Int64 {
        try place.number(
            """
            SELECT count(*) FROM jobs AS j WHERE j.state = 'queued' AND j.run_at < 4000000000000
                AND coalesce(j.waits, 0) = 0 AND NOT EXISTS (
                SELECT 1 FROM queue_status AS s WHERE s.queue = j.queue AND s.blocked_by LIKE 'budget:%')
            """
        )
    }

    /// Every job has ended, or shows why not.
    func checkEndings() throws {
        let rows = try place.rows(
            """
            SELECT j.id, j.state, j.run_at, s.blocked_by FROM jobs AS j JOIN queue_status AS s ON s.queue = j.queue
            WHERE j.state NOT IN ('succeeded', 'failed', 'cancelled') ORDER BY j.id
            """
        )
        for row in rows {
            let job: Int64 = row["id"]
            let state: String = row["state"]
            let runAt: Int64 = row["run_at"]
            let blocked: String? = row["blocked_by"]
            if state == "queued", blocked != nil || runAt > ledgerNow.milliseconds { continue }
            throw Violation(.ending, "job \(job) is still \(state), long after all trouble has ended")
        }
        if let entry = books.sorted.first(where: { [.sending, .accepted, .unknown].contains($0.state) }) {
            // A deleted job's attempt cannot be open; a cancelled one's is settled like any other.
            throw Violation(
                .ending,
                "attempt \(entry.attempt) is still \(entry.state), long after all trouble has ended"
            )
        }
    }

    func checkAtTheEnd() throws {
        try checkOneOpenAttempt()
        try patrol()
        try checkTotal()
        try checkAttempts()
        try checkJobs()
        try checkResults()
    }

    /// Each task has its attempt, and each attempt the money that history gives it.
    private func checkAttempts() throws {
        let rows = try place.rows(
            """
            SELECT id, job_id, state, task_id, finished_at, reserved_millicredits AS reserved,
                charged_millicredits AS charged
            FROM attempts ORDER BY id
            """
        )
        if rows.count != books.order.count {
            throw Violation(.books, "\(rows.count) attempts in the ledger, \(books.order.count) were claimed")
        }
        var named: Set<String> = []
        for row in rows {
            let attempt = AttemptID(row["id"])
            let state: String = row["state"]
            let reserved: Int64 = row["reserved"]
            let charged: Int64? = row["charged"]
            guard let entry = books[attempt] else { throw Violation(.books, "attempt \(attempt) was never claimed") }
            if reserved + (charged ?? 0) != entry.amount {
                throw Violation(.books, "attempt \(attempt) holds \(reserved) + \(charged ?? 0), not \(entry.amount)")
            }
            if let task: String = row["task_id"], !named.insert(task).inserted {
                throw Violation(.taskHasAttempt, "\(task) belongs to two attempts")
            }
            guard let task = provider.task(of: attempt) else {
                if state == "accepted" {
                    throw Violation(.taskHasAttempt, "attempt \(attempt) names a task that was never made")
                }
                continue
            }
            switch entry.state {
            case .accepted, .ended:
                let name: String? = row["task_id"]
                if state != "accepted" || name != task.id {
                    throw Violation(.taskHasAttempt, "attempt \(attempt) is \(state) and does not name \(task.id)")
                }
            case .unknown, .givenUp:
                if state != "unknown" {
                    throw Violation(.taskHasAttempt, "attempt \(attempt) is \(state), but \(task.id) was made for it")
                }
            case .cleared:
                if state != "rejected" { throw Violation(.evidence, "attempt \(attempt) was cleared and is \(state)") }
            case .sending, .rejected, .denied:
                throw Violation(.taskHasAttempt, "attempt \(attempt) is \(state), but \(task.id) was made for it")
            }
            let isLost = task.vanishesAt != nil
            if entry.state == .ended, !isLost {
                let due = task.reportsCharge ? task.bill : entry.estimate
                if charged != due {
                    throw Violation(.bills, "attempt \(attempt) is charged \(charged ?? -1), \(task.id) cost \(due)")
                }
            }
        }
        if let task = provider.tasks.first(where: { books[$0.attempt] == nil }) {
            throw Violation(.taskHasAttempt, "\(task.id) was billed and no attempt stands for it")
        }
    }

    private func checkJobs() throws {
        let wrong = try place.rows(
            """
            SELECT id, charged, sum FROM (
                SELECT j.id, j.charged_millicredits AS charged, (
                    SELECT sum(a.charged_millicredits) FROM attempts AS a WHERE a.job_id = j.id) AS sum
                FROM jobs AS j) AS s
            WHERE coalesce(charged, 0) <> coalesce(sum, 0) LIMIT 1
            """
        ).first
        if let wrong {
            let job: Int64 = wrong["id"]
            let charged: Int64? = wrong["charged"]
            let sum: Int64? = wrong["sum"]
            throw Violation(.bills, "job \(job) shows \(charged ?? 0), its attempts were charged \(sum ?? 0)")
        }
        let counts = try place.number(
            """
            SELECT count(*) FROM queue_counts AS c WHERE c.jobs <> (
                SELECT count(*) FROM jobs AS j WHERE j.queue = c.queue AND j.state = c.state)
            """
        )
        if counts > 0 { throw Violation(.books, "queue_counts does not count the jobs") }
        try checkEvents()
    }

    /// The events of each job go from its insertion, step by step, to the state that it has.
    private func checkEvents() throws {
        var states: [JobID: JobState] = [:]
        for row in try place.rows("SELECT job_id, previous_state AS previous, state FROM events ORDER BY sequence") {
            let job = JobID(row["job_id"])
            let (previous, state): (String?, String) = (row["previous"], row["state"])
            let isLegal =
                previous.flatMap(JobState.init) == states[job]
                && JobState(rawValue: state).map { states[job]?.successors.contains($0) ?? ($0 == .queued) } ?? false
            guard isLegal else {
                throw Violation(.books, "an event of job \(job) goes from \(previous ?? "nothing") to \(state)")
            }
            states[job] = JobState(rawValue: state)
        }
        for row in try place.rows("SELECT id, state FROM jobs WHERE pruned_at IS NULL") {
            let (job, state): (JobID, String) = (JobID(row["id"]), row["state"])
            guard states.removeValue(forKey: job)?.rawValue == state else {
                throw Violation(.books, "the events of job \(job) do not end with \(state)")
            }
        }
        if let job = states.keys.min() { throw Violation(.books, "job \(job) is gone, but not its events") }
    }

    /// What was paid for is saved, unless its owner cancelled it or the job says why not.
    private func checkResults() throws {
        var results: [JobID: [TaskOutput: String]] = [:]
        for row in try place.rows("SELECT job_id, url, content, state FROM results") {
            let url: String? = row["url"]
            let content: String? = row["content"]
            let output: TaskOutput = url.map { .file(url: $0) } ?? .object(json: content ?? "")
            results[JobID(row["job_id"]), default: [:]][output] = row["state"]
        }
        var jobs: [JobID: (state: String, error: String?)] = [:]
        for row in try place.rows("SELECT id, state, error_code FROM jobs") {
            jobs[JobID(row["id"])] = (row["state"], row["error_code"])
        }
        for task in provider.tasks where books[task.attempt]?.state == .ended && task.vanishesAt == nil {
            guard let job = jobs[task.job] else { continue }
            for output in task.outputs {
                guard let state = results[task.job]?[output] else {
                    throw Violation(.results, "an output of \(task.id) is not listed with job \(task.job)")
                }
                if state == "saved", !fetched.contains(output) {
                    throw Violation(.results, "an output of \(task.id) is listed as saved and was never fetched")
                }
                let isExplained =
                    switch (job.state, state) {
                    case ("succeeded", "saved"), ("cancelled", _): true
                    case ("succeeded", "pending"): !plan.settings.downloadsEnabled
                    case ("failed", _): job.error == FailureCode.downloadFailed.rawValue
                    default: false
                    }
                if !isExplained {
                    throw Violation(.results, "job \(task.job) is \(job.state), an output of \(task.id) is \(state)")
                }
            }
        }
    }
}
