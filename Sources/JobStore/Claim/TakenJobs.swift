import GRDB
import PromptQueue

/// A job that a claim has taken and that is still to be written.
struct TakenJob {
    var job: ClaimedJob
    /// How its price was estimated.
    var basis: String
    var profile: String
    /// Whether it is the job's first attempt.
    var isFirst: Bool
}

/// Writes what a claim has taken: an attempt with the reservation, and the job as `submitting`.
struct TakenJobs {
    let db: Database
    let account: AccountName
    let now: Instant

    func write(_ taken: TakenJob) throws -> ClaimedJob {
        let job = taken.job
        let insert = try db.cachedStatement(
            sql: """
                INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits,
                    estimated_millicredits, estimate_basis, profile, input, account)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10)
                """
        )
        // They are as many as the statement takes: they need not be counted for each job.
        insert.setUncheckedArguments([
            job.job.rawValue, job.token.rawValue, job.queue, job.model, now.milliseconds, job.reserved.millicredits,
            taken.basis, taken.profile, JSONValue.object(job.input).json, account.rawValue,
        ])
        try insert.execute()
        let attempt = db.lastInsertedRowID
        let update = try db.cachedStatement(
            sql: """
                UPDATE jobs SET state = 'submitting', attempt_count = attempt_count + 1, estimated_millicredits = ?,
                    estimate_basis = ?, submitted_at = ?, error_code = NULL, error_message = NULL
                WHERE id = ? AND state = 'queued'
                RETURNING max(created_at, run_at)
                """
        )
        update.setUncheckedArguments([
            job.reserved.millicredits, taken.basis, now.milliseconds, job.job.rawValue,
        ])
        // One attempt for one job that was queued: anything else would pay twice.
        guard let due = try Int64.fetchOne(update) else { throw Self.notQueued }
        return written(taken, attempt, due: due)
    }

    /// The same for many jobs, by the same two statements.
    func write(_ taken: [TakenJob]) throws -> [ClaimedJob] {
        let insert = try db.cachedStatement(
            sql: """
                INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits,
                    estimated_millicredits, estimate_basis, profile, input, account)
                SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?2, value ->> 4, value ->> 4, value ->> 5,
                    value ->> 6, value ->> 7, ?3
                FROM json_each(?1) ORDER BY key
                RETURNING job_id, id
                """
        )
        let values = taken.map { taken -> JSONValue in
            let job = taken.job
            return .array([
                .integer(job.job.rawValue), .string(job.token.rawValue), .string(job.queue), .string(job.model),
                .integer(job.reserved.millicredits), .string(taken.basis), .string(taken.profile),
                .string(JSONValue.object(job.input).json),
            ])
        }
        insert.setUncheckedArguments([JSONValue.array(values).json, now.milliseconds, account.rawValue])
        let attempts = try pairs(insert)
        // Nobody else writes meanwhile: of those between the first and the last all are these.
        let update = try db.cachedStatement(
            sql: """
                UPDATE jobs SET state = 'submitting', attempt_count = attempt_count + 1,
                    estimated_millicredits = a.estimated_millicredits, estimate_basis = a.estimate_basis, submitted_at = ?3,
                    error_code = NULL, error_message = NULL
                FROM attempts AS a WHERE a.id BETWEEN ?1 AND ?2 AND jobs.id = a.job_id AND +jobs.state = 'queued'
                RETURNING id, max(created_at, run_at)
                """
        )
        update.setUncheckedArguments([attempts.values.min(), attempts.values.max(), now.milliseconds])
        let due = try pairs(update)
        // One attempt for one job that was queued: anything else would pay twice.
        guard attempts.count == taken.count, due.count == taken.count else { throw Self.notQueued }
        return try taken.map { taken in
            let job = taken.job.job.rawValue
            guard let attempt = attempts[job], let due = due[job] else { throw Self.notQueued }
            return written(taken, attempt, due: due)
        }
    }

    private func pairs(_ statement: Statement) throws -> [Int64: Int64] {
        var found: [Int64: Int64] = [:]
        let rows = try Row.fetchCursor(statement)
        while let row = try rows.next() {
            guard found.updateValue(row[1], forKey: row[0]) == nil else { throw Self.notQueued }
        }
        return found
    }

    private func written(_ taken: TakenJob, _ attempt: Int64, due: Int64) -> ClaimedJob {
        var job = taken.job
        job.attempt = AttemptID(attempt)
        if taken.isFirst { job.waited = max(.zero, now - Instant(milliseconds: due)) }
        return job
    }

    private static var notQueued: DatabaseError {
        DatabaseError(resultCode: .SQLITE_CONSTRAINT, message: "it is no longer queued")
    }
}
