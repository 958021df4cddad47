import GRDB
package import PromptQueue

extension QueueFile {
    package func resolve(
        _ job: JobID,
        _ resolution: Resolution,
        now: Instant,
        dryRun: Bool
    ) throws(LedgerError) -> ChangeOutcome {
        try write(dryRun: dryRun) { db in
            var outcome = ChangeOutcome()
            try Self.settle(job, resolution, now, db, &outcome)
            return outcome
        }
    }

    package func resolve(
        _ jobs: [JobID],
        _ resolution: Resolution,
        now: Instant,
        dryRun: Bool
    ) throws(LedgerError) -> ChangeOutcome {
        try write(dryRun: dryRun) { db in
            var outcome = ChangeOutcome()
            for job in jobs {
                do {
                    try db.inSavepoint {
                        try Self.settle(job, resolution, now, db, &outcome)
                        return .commit
                    }
                } catch let error as LedgerError where error.code == .constraint {
                    outcome.refused.append((job, error.message))
                }
            }
            return outcome
        }
    }

    package func unconfirmed(matching filter: JobFilter) throws(LedgerError) -> [JobID] {
        guard let filter = filter.unconfirmed else { return [] }
        return try ids(matching: filter, limit: .max)
    }

    /// Settles one, and adds to `outcome` what that means for money.
    private static func settle(
        _ job: JobID,
        _ resolution: Resolution,
        _ now: Instant,
        _ db: Database,
        _ outcome: inout ChangeOutcome
    ) throws {
        let reserved = try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT coalesce(sum(reserved_millicredits), 0) FROM attempts
                    WHERE job_id = ? AND state = 'unknown' AND finished_at IS NULL
                    """
            ),
            arguments: [job.rawValue]
        )
        try settle(job, resolution, now, db)
        outcome.settled(resolution, holding: Credits(millicredits: reserved ?? 0))
    }

    private static func settle(_ job: JobID, _ resolution: Resolution, _ now: Instant, _ db: Database) throws {
        let state = try String.fetchOne(db, sql: "SELECT state FROM jobs WHERE id = ?", arguments: [job.rawValue])
        if let refusal = LedgerError.notToSettle(job, state: state) { throw refusal }
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT id, hinted_task_id FROM attempts WHERE job_id = ? AND state = 'unknown' AND finished_at IS NULL
                ORDER BY id DESC LIMIT 1
                """,
            arguments: [job.rawValue]
        )
        guard let row, let attempt: Int64 = row["id"] else { throw LedgerError.nothingLost(of: job) }
        switch resolution {
        case .task(let task): try adopt(task, job, attempt, now, db)
        case .resubmit:
            if let named: String = row["hinted_task_id"] { throw LedgerError.named(TaskID(named), for: job) }
            try resubmit(job, attempt, now, db)
        case .fail: try fail(job, attempt, now, db)
        }
    }

    private static func adopt(
        _ task: TaskID,
        _ job: JobID,
        _ attempt: Int64,
        _ now: Instant,
        _ db: Database
    ) throws {
        let other = try Int64.fetchOne(
            db,
            sql: "SELECT job_id FROM attempts WHERE task_id = ?",
            arguments: [task.rawValue]
        )
        if let other { throw LedgerError.taken(task, by: JobID(other)) }
        try db.execute(
            sql: """
                UPDATE attempts SET state = 'accepted', task_id = ?, task_source = 'operator', arrives_until = min(arrives_until, ?),
                    error_code = NULL, message = NULL
                WHERE id = ?
                """,
            arguments: [task.rawValue, now.milliseconds, attempt]
        )
        // Somebody has looked at it.
        try db.execute(sql: "DELETE FROM suspects WHERE job_id = ?", arguments: [job.rawValue])
        // What a daemon at work takes up (SQLiteLedger.takeResumed).
        try db.execute(
            sql: """
                UPDATE jobs SET state = 'running', task_id = ?, is_resumed = 1, error_code = NULL,
                    error_message = NULL
                WHERE id = ? AND state = 'unconfirmed'
                """,
            arguments: [task.rawValue, job.rawValue]
        )
        // A cancelled job stays cancelled, but its task is asked about until its charge is known.
        try db.execute(
            sql: "UPDATE jobs SET is_resumed = 1 WHERE id = ? AND state = 'cancelled'",
            arguments: [job.rawValue]
        )
    }

    /// An attempt that made no task does not count: else the last one allowed would be followed by one too many.
    private static func resubmit(_ job: JobID, _ attempt: Int64, _ now: Instant, _ db: Database) throws {
        let failure = Failure(.settledByOperator, "settled by an operator: there is no task")
        _ = try Settlement(db: db, now: now).withoutTask(AttemptID(attempt), failure, hasArrived: true)
        try db.execute(
            sql: """
                UPDATE jobs SET state = 'queued', attempt_count = max(attempt_count - 1, 0), error_code = NULL,
                    error_message = NULL
                WHERE id = ? AND state = 'unconfirmed'
                """,
            arguments: [job.rawValue]
        )
    }

    private static func fail(_ job: JobID, _ attempt: Int64, _ now: Instant, _ db: Database) throws {
        _ = try Settlement(db: db, now: now).presumed(AttemptID(attempt), ignoresHint: true)
        // A cancelled job stays cancelled, whatever became of its request.
        try db.execute(
            sql: """
                UPDATE jobs SET state = 'failed', finished_at = ?, error_code = ?,
                    error_message = 'given up by an operator; it may have been charged'
                WHERE id = ? AND state = 'unconfirmed'
                """,
            arguments: [now.milliseconds, FailureCode.settledByOperator.rawValue, job.rawValue]
        )
    }
}
