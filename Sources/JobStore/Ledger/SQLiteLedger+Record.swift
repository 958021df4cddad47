import GRDB
import PromptQueue

extension SQLiteLedger {
    func record(
        _ change: LedgerChange,
        of account: AccountName,
        now: Instant,
        done: @escaping @Sendable (Result<CommitResult, LedgerError>) -> Void
    ) {
        commits.commit(GroupedChange(change: change, now: now, account: account), done: done)
    }
}

/// One change, inside its transaction. Each is idempotent.
struct RecordWork {
    let db: Database
    let now: Instant
    /// What is not of an attempt is the account's.
    var account = AccountName.standard
    /// For how long a request whose answer was lost keeps its slot.
    var lateArrival = LateArrival.longest

    var settlement: Settlement { Settlement(db: db, now: now) }

    func carryOut(_ change: LedgerChange) throws -> CommitResult {
        switch change {
        case .accepted(let attempt, let task, let status):
            return try accepted(attempt, task, status)
        case .rejected(let attempt, let failure, let then):
            return try rejected(attempt, failure, then)
        case .unknown(let attempt, let failure):
            return try unknown(attempt, failure)
        case .progressed(let attempt, let state):
            return try progressed(attempt, state)
        case .taskSucceeded(let attempt, let outputs, let charged, let fetch, let took, let unread):
            return try succeeded(attempt, outputs, charged, fetch: fetch, took: took, unread: unread)
        case .taskFailed(let attempt, let failure, let charged, let then, let took):
            return try failed(attempt, failure, charged, then, took: took)
        case .resultDelayed(let result, let message):
            return try delayed(result, message)
        case .resultSaved(let result, let file):
            return try saved(result, file)
        case .resultFailed(let result, let message):
            return try lost(result, message)
        case .gates(let notes):
            return try gates(notes)
        case .balance(let reading, let settles):
            return try balance(reading, settles: settles)
        case .gaveUp(let attempt):
            return try gaveUp(attempt)
        case .setAside(let attempt, let reason):
            if let job = try self.job(of: attempt) { try SetAsideRows.insert(job.id, reason, at: now, db) }
            return CommitResult()
        case .hintRefuted(let attempt, let task):
            return try hintRefuted(attempt, task)
        case .rules(let rules):
            try self.rules(rules)
            return CommitResult()
        case .limits(let rate, let running):
            try run(
                "UPDATE accounts SET rate_limit = ?, rate_window_ms = ?, running_limit = ? WHERE name = ?",
                [rate.count, rate.window.milliseconds, running, account.rawValue]
            )
            return CommitResult()
        case .trouble(let message):
            try run("UPDATE daemon SET last_error = ?, last_error_at = ?", [message, now.milliseconds])
            return CommitResult()
        }
    }

    @discardableResult
    func run(_ sql: String, _ arguments: StatementArguments) throws -> Int {
        let statement = try db.cachedStatement(sql: sql)
        // Every call here has as many arguments as its statement takes: they need not be counted each time.
        statement.setUncheckedArguments(arguments)
        try statement.execute()
        return db.changesCount
    }

    /// The job of an attempt: its id, and its state if the row is still there.
    func job(of attempt: AttemptID) throws -> RecordedJob? {
        try Row
            .fetchOne(
                db.cachedStatement(
                    sql: "SELECT j.id, j.state FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id WHERE a.id = ?"
                ),
                arguments: [attempt.rawValue]
            )
            .flatMap { row in JobState(rawValue: row["state"]).map { RecordedJob(id: JobID(row["id"]), state: $0) } }
    }

    func accepted(_ attempt: AttemptID, _ task: TaskID, _ status: Int) throws -> CommitResult {
        // A task that a callback names for a lost request must be nobody else's, and what was settled stays so.
        let accepted = try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    UPDATE attempts SET state = 'accepted', task_id = ?1,
                        task_source = CASE WHEN state = 'unknown' AND hinted_task_id = ?1 THEN 'callback' ELSE 'answer' END,
                        answered_at = coalesce(answered_at, ?2),
                        -- It has arrived by now, which may be long after its answer was lost.
                        arrives_until = CASE WHEN state = 'unknown' THEN min(arrives_until, ?2) ELSE arrives_until END,
                        http_status = ?3, api_code = 200, error_code = NULL, message = NULL
                    WHERE id = ?4 AND finished_at IS NULL AND (state = 'sending'
                        OR (state = 'unknown' AND NOT EXISTS (SELECT 1 FROM attempts AS other WHERE other.task_id = ?1)))
                    RETURNING job_id
                    """
            ),
            arguments: [task.rawValue, now.milliseconds, status, attempt.rawValue]
        )
        if let accepted {
            let changed = try run(
                """
                UPDATE jobs SET state = 'running', task_id = ?, error_code = NULL, error_message = NULL
                WHERE id = ? AND state IN ('submitting', 'unconfirmed')
                """,
                [task.rawValue, accepted]
            )
            return CommitResult(
                job: changed > 0 ? RecordedJob(id: JobID(accepted), state: .running) : try job(of: attempt)
            )
        }
        // It was recorded before, or somebody has settled it meanwhile.
        if let refusal = try refusal(of: attempt, task) {
            var recorded = CommitResult(job: try job(of: attempt))
            recorded.refusal = refusal
            return recorded
        }
        try run(
            """
            UPDATE jobs SET state = 'running', task_id = ?, error_code = NULL, error_message = NULL
            WHERE id = (SELECT job_id FROM attempts WHERE id = ? AND finished_at IS NULL)
                AND state IN ('submitting', 'unconfirmed')
            """,
            [task.rawValue, attempt.rawValue]
        )
        return CommitResult(job: try job(of: attempt))
    }

    func rejected(_ attempt: AttemptID, _ failure: Failure, _ then: FailureDisposition) throws -> CommitResult {
        // A callback that named a task speaks against the refusal: who is right is for the provider to say.
        if let named = try namedTask(of: attempt) {
            return try unknown(attempt, failure.contradicted(by: named))
        }
        let settled = try settlement.withoutTask(attempt, failure)
        if settled != nil, let wait = failure.retryAfter {
            let until = now + min(wait, RateLimit.longestRetryAfter)
            // What was kept beside the ledger may be of any account.
            try run(
                "UPDATE accounts SET shut_until = ? WHERE name = (SELECT account FROM attempts WHERE id = ?)",
                [until.milliseconds, attempt.rawValue]
            )
        }
        let job = try job(of: attempt)
        guard settled != nil, let job, job.state == .submitting || job.state == .unconfirmed else {
            return CommitResult(job: job)
        }
        return CommitResult(job: try settle(job.id, failure, then))
    }

    func unknown(_ attempt: AttemptID, _ failure: Failure) throws -> CommitResult {
        try run(
            """
            UPDATE attempts SET state = 'unknown', answered_at = ?, arrives_until = ?, http_status = ?, api_code = ?,
                error_code = ?, message = ?
            WHERE id = ? AND state = 'sending'
            """,
            [
                now.milliseconds, (now + lateArrival).milliseconds, failure.httpStatus, failure.apiCode,
                failure.code.rawValue, BoundedText.message(failure.message),
                attempt.rawValue,
            ]
        )
        try run(
            """
            UPDATE jobs SET state = 'unconfirmed', error_code = ?, error_message = ?
            WHERE id = (SELECT job_id FROM attempts WHERE id = ?) AND state = 'submitting'
            """,
            [failure.code.rawValue, BoundedText.message(failure.message), attempt.rawValue]
        )
        return CommitResult(job: try job(of: attempt))
    }

    func progressed(_ attempt: AttemptID, _ state: String) throws -> CommitResult {
        try run(
            """
            UPDATE jobs SET provider_state = ?
            WHERE id = (SELECT job_id FROM attempts WHERE id = ?) AND state = 'running'
            """,
            [BoundedText.word(state), attempt.rawValue]
        )
        return CommitResult(job: try job(of: attempt))
    }

    func succeeded(
        _ attempt: AttemptID,
        _ outputs: [TaskOutput],
        _ charged: Credits?,
        fetch: Bool,
        took: Duration?,
        unread: String?
    ) throws -> CommitResult {
        let known: JobID
        let settled = try settlement.ended(
            attempt,
            charged: charged,
            failure: nil,
            took: took,
            unread: unread,
            books: false
        )
        if let settled {
            known = settled
        } else if let late = try askedAgain(attempt) {
            known = late.job
            // First, because results are a success's.
            if late.wasFailed { _ = try settlement.corrected(attempt, charged: charged, unread: unread) }
        } else {
            guard let job = try job(of: attempt) else { return CommitResult() }
            return CommitResult(job: job, downloads: try downloads(of: job))
        }
        guard let (job, first, feedsOthers) = try jobBeforeResults(known) else { return CommitResult() }
        let isWanted = job.state == .running
        if isWanted, !fetch {
            // Before its results are noted: a job with results to be fetched has not succeeded.
            try run(
                """
                UPDATE jobs SET state = 'succeeded', provider_state = 'success', finished_at = ?, \(Settlement.booking)
                WHERE id = ?
                """,
                [now.milliseconds, job.id.rawValue]
            )
        } else if settled != nil {
            try settlement.book(job.id)
        }
        for (ordinal, output) in zip(first..., outputs) {
            var url: String?
            var content: String?
            switch output.content {
            case .file(let text): url = text
            case .object(let json): content = json
            }
            try run(
                """
                INSERT INTO results (job_id, ordinal, attempt_id, role, url, content, state, error_message, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    job.id.rawValue, ordinal, attempt.rawValue, BoundedText.word(output.role), url, content,
                    (isWanted ? ResultState.pending : .failed).rawValue,
                    isWanted ? nil : LedgerMessages.cancelledBeforeDownload, now.milliseconds,
                ]
            )
        }
        guard isWanted else { return CommitResult(job: job) }
        guard fetch else {
            var recorded = CommitResult(job: RecordedJob(id: job.id, state: .succeeded))
            recorded.feedsOthers = feedsOthers
            return recorded
        }
        try run("UPDATE jobs SET provider_state = 'success' WHERE id = ?", [job.id.rawValue])
        return CommitResult(job: job, downloads: try downloads(of: job))
    }

    func failed(
        _ attempt: AttemptID,
        _ failure: Failure,
        _ charged: Credits?,
        _ then: FailureDisposition,
        took: Duration?
    ) throws -> CommitResult {
        let settled = try settlement.ended(
            attempt,
            charged: charged,
            failure: failure,
            took: took,
            unread: failure.unread
        )
        guard let job = try job(of: attempt) else { return CommitResult() }
        guard job.state == .running else { return CommitResult(job: job) }
        var then = then
        if settled == nil {
            // A task that was settled before, and was asked about once more.
            guard let late = try askedAgain(attempt) else { return CommitResult(job: job) }
            // Settled by hand, as if it had succeeded: whether it is paid for again is for a person to say.
            if !late.wasFailed { then = .fail }
        }
        try run("UPDATE jobs SET provider_state = 'fail' WHERE id = ?", [job.id.rawValue])
        return CommitResult(job: try settle(job.id, failure, then))
    }

    /// A job, if its row is still there, the ordinal of its next result, and whether other jobs take results of it.
    private func jobBeforeResults(_ job: JobID) throws -> (RecordedJob, ordinal: Int, feedsOthers: Bool)? {
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT state, (SELECT coalesce(max(ordinal) + 1, 0) FROM results WHERE job_id = jobs.id),
                        EXISTS (SELECT 1 FROM job_inputs WHERE source_id = jobs.id)
                    FROM jobs WHERE id = ?
                    """
            ),
            arguments: [job.rawValue]
        )
        guard let row = try rows.next(), let state = JobState(rawValue: row[0]) else { return nil }
        return (RecordedJob(id: job, state: state), row[1], row[2])
    }

    /// Whether a job may have another attempt, by its row as it is now.
    func hasAttemptsLeft(_ job: JobID) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT attempt_count < max_attempts FROM jobs WHERE id = ?"),
            arguments: [job.rawValue]
        ) ?? false
    }

    func settle(_ job: JobID, _ failure: Failure, _ then: FailureDisposition) throws -> RecordedJob {
        var then = then
        // The engine knows as much; a mistake of its own is not to be paid for, and a job back in its queue begins to count
        // again (trigger jobs_requeued).
        if case .retry(_, counted: true) = then, try !hasAttemptsLeft(job) { then = .fail }
        switch then {
        case .retry(let at, let counted):
            // A job keeps its place in the order, also while it waits. What was cancelled and taken up again has not counted.
            try run(
                """
                UPDATE jobs SET state = 'queued', run_at = CASE WHEN ?1 > ?2 THEN ?1 ELSE run_at END,
                    turn = CASE WHEN ?1 > ?2 THEN NULL ELSE turn END,
                    kept_turn = CASE WHEN ?1 > ?2 THEN coalesce(turn, kept_turn) END,
                    attempt_count = max(attempt_count - ?3, 0), error_code = ?4, error_message = ?5
                WHERE id = ?6
                """,
                [
                    at.milliseconds, now.milliseconds, counted ? 0 : 1, failure.code.rawValue,
                    BoundedText.message(failure.message),
                    job.rawValue,
                ]
            )
            return RecordedJob(id: job, state: .queued)
        case .fail:
            try run(
                "UPDATE jobs SET state = 'failed', finished_at = ?, error_code = ?, error_message = ? WHERE id = ?",
                [now.milliseconds, failure.code.rawValue, BoundedText.message(failure.message), job.rawValue]
            )
            return RecordedJob(id: job, state: .failed)
        }
    }

    /// Ends a running job when none of its results is pending any more.
    func conclude(_ job: JobID) throws -> RecordedJob? {
        let states = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT j.state AS state,
                        (SELECT count(*) FROM results AS r WHERE r.job_id = j.id AND r.state = 'pending') AS pending,
                        (SELECT count(*) FROM results AS r WHERE r.job_id = j.id AND r.state = 'failed') AS failed
                    FROM jobs AS j WHERE j.id = ?
                    """
            ),
            arguments: [job.rawValue]
        )
        guard let states, let state = JobState(rawValue: states["state"]) else { return nil }
        let pending: Int = states["pending"]
        let failed: Int = states["failed"]
        guard state == .running, pending == 0 else { return RecordedJob(id: job, state: state) }
        guard failed == 0 else {
            let message = LedgerMessages.notDownloaded("\(failed)", of: job)
            return try settle(job, Failure(.downloadFailed, message), .fail)
        }
        try run(
            "UPDATE jobs SET state = 'succeeded', finished_at = ? WHERE id = ?",
            [now.milliseconds, job.rawValue]
        )
        return RecordedJob(id: job, state: .succeeded)
    }

    private func downloads(of job: RecordedJob) throws -> [PendingDownload] {
        try SQLiteLedger.pendingDownloads(db, job: job.id.rawValue)
    }
}
