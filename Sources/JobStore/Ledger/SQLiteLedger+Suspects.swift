import GRDB
package import PromptQueue

extension SQLiteLedger: SuspectStore {
    /// Whether the task of the attempt `a` is no longer polled.
    static let isAside =
        "EXISTS (SELECT 1 FROM suspects AS s WHERE s.step = 'poll' AND s.subject = a.id AND s.is_aside = 1)"

    package func noteDeaths(
        _ steps: [RiskyStep],
        _ end: SuddenEnd,
        version: String,
        now: Instant
    ) async throws(LedgerError) -> [SetAsideStep] {
        try await commits.commit { db in
            try Self.release(otherThan: version, db)
            // A job is prepared within microseconds: a process that ends then has ended of that.
            let claims = steps.filter { if case .claim = $0 { true } else { false } }
            let steps = claims.isEmpty ? steps : claims
            // What is hardly suspected, and was not under way this time, has not ended this process.
            let faint = try Row.fetchAll(
                db,
                sql: "SELECT * FROM suspects WHERE is_aside = 0 AND weight < ?",
                arguments: [SuddenEnd.crashWeight]
            )
            for step in faint.compactMap(Key.step) where !steps.contains(step) { try Self.forget(step, db) }
            for step in steps {
                guard let job = try Self.job(of: step, db) else { continue }
                let key = Key(step)
                try db.execute(
                    sql: """
                        INSERT INTO suspects (step, subject, ordinal, job_id, weight, version, reason)
                        VALUES (?, ?, ?, ?, ?, ?, ?)
                        ON CONFLICT DO UPDATE SET weight = min(weight + excluded.weight, 1000), reason = excluded.reason
                        """,
                    arguments: [
                        key.step, key.subject, key.ordinal, job.rawValue, end.weight, version, end.reason(step),
                    ]
                )
            }
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT * FROM suspects WHERE is_aside = 0 AND weight >= ? ORDER BY step, subject, ordinal",
                arguments: [SuddenEnd.enough]
            )
            var aside: [SetAsideStep] = []
            for row in rows {
                guard let step = Key.step(row) else { continue }
                let job = JobID(row["job_id"])
                let found = SetAsideStep(
                    step: step,
                    job: job,
                    origin: try JobOrigin.read(job, db),
                    reason: row["reason"]
                )
                try SetAsideRows.guarding(found.job, at: now, db) { try Self.setAside(found, now: now, db) }
                aside.append(found)
            }
            return aside
        }
    }

    package func suspects() async throws(LedgerError) -> Set<RiskyStep> {
        try await LedgerError.wrapping {
            try await self.pool.read { db in
                let rows = try Row.fetchAll(
                    db,
                    sql: "SELECT * FROM suspects WHERE is_aside = 0 AND weight >= ?",
                    arguments: [SuddenEnd.crashWeight]
                )
                return Set(rows.compactMap(Key.step))
            }
        }
    }

    package func acquit(_ step: RiskyStep) {
        commits.commit({ db in try Self.forget(step, db) }, done: { _ in })
    }

    private static func forget(_ step: RiskyStep, _ db: Database) throws {
        let key = Key(step)
        try db.execute(
            sql: "DELETE FROM suspects WHERE step = ? AND subject = ? AND ordinal = ? AND is_aside = 0",
            arguments: [key.step, key.subject, key.ordinal]
        )
    }

    // MARK: - What is set aside

    /// Money stays as it is: what is reserved for a task that is not asked about any more stays reserved.
    private static func setAside(_ found: SetAsideStep, now: Instant, _ db: Database) throws {
        let record = RecordWork(db: db, now: now)
        switch found.step {
        case .claim(let job):
            try db.execute(
                sql: """
                    UPDATE jobs SET state = 'failed', finished_at = ?, error_code = ?, error_message = ?
                    WHERE id = ? AND state = 'queued'
                    """,
                arguments: [
                    now.milliseconds, FailureCode.setAside.rawValue,
                    found.message, job.rawValue,
                ]
            )
        case .poll:
            try db.execute(
                sql: "UPDATE jobs SET error_code = ?, error_message = ? WHERE id = ? AND state = 'running'",
                arguments: [FailureCode.setAside.rawValue, found.message, found.job.rawValue]
            )
        case .download(let result):
            try db.execute(
                sql: """
                    UPDATE results SET state = 'failed', error_message = ?
                    WHERE job_id = ? AND ordinal = ? AND state = 'pending'
                    """,
                arguments: [found.reason, result.job.rawValue, result.ordinal]
            )
            let waits = try Bool.fetchOne(
                db,
                sql: """
                    SELECT j.state <> 'running' OR EXISTS (
                        SELECT 1 FROM results AS r WHERE r.job_id = j.id AND r.state = 'pending')
                    FROM jobs AS j WHERE j.id = ?
                    """,
                arguments: [result.job.rawValue]
            )
            guard waits == false else { break }
            _ = try record.settle(result.job, Failure(.setAside, found.message), .fail)
        }
        let key = Key(found.step)
        try db.execute(
            sql: "UPDATE suspects SET is_aside = 1 WHERE step = ? AND subject = ? AND ordinal = ?",
            arguments: [key.step, key.subject, key.ordinal]
        )
    }

    /// Tasks that are not asked about show why, until they are released.
    static func showSuspects(_ db: Database, at now: Instant) throws {
        try db.execute(
            sql: """
                INSERT INTO set_aside (job_id, reason, since)
                SELECT job_id, min(reason), ? FROM suspects WHERE is_aside = 1 AND step = 'poll' GROUP BY job_id
                ON CONFLICT DO NOTHING
                """,
            arguments: [now.milliseconds]
        )
    }

    /// Lets jobs that run be asked about again, as far as they are set aside.
    ///
    /// - Returns: whether there was anything to let go.
    static func release(_ job: JobID, _ db: Database) throws -> Bool {
        guard try clearSuspicion(job, db) else { return false }
        // What a daemon at work takes up (SQLiteLedger.takeResumed).
        try db.execute(
            sql: "UPDATE jobs SET is_resumed = 1 WHERE id = ? AND state = 'running'",
            arguments: [job.rawValue]
        )
        return true
    }

    private static func clearSuspicion(_ job: JobID, _ db: Database) throws -> Bool {
        try db.execute(
            sql: "DELETE FROM suspects WHERE job_id = ? AND is_aside = 1 AND step = 'poll'",
            arguments: [job.rawValue]
        )
        guard db.changesCount > 0 else { return false }
        try db.execute(sql: "DELETE FROM set_aside WHERE job_id = ?", arguments: [job.rawValue])
        try db.execute(
            sql: """
                UPDATE jobs SET error_code = NULL, error_message = NULL
                WHERE id = ? AND state = 'running' AND error_code = ?
                """,
            arguments: [job.rawValue, FailureCode.setAside.rawValue]
        )
        return true
    }

    private static func release(otherThan version: String, _ db: Database) throws {
        let jobs = try Int64.fetchAll(
            db,
            sql: "SELECT DISTINCT job_id FROM suspects WHERE is_aside = 1 AND step = 'poll' AND version <> ?",
            arguments: [version]
        )
        // At a start everything open is listed anyway: no attempt is counted again.
        for job in jobs { _ = try clearSuspicion(JobID(job), db) }
        try db.execute(sql: "DELETE FROM suspects WHERE version <> ?", arguments: [version])
    }

    /// Nil if there is no such thing any more.
    private static func job(of step: RiskyStep, _ db: Database) throws -> JobID? {
        let job: Int64? =
            switch step {
            case .claim(let job):
                try Int64.fetchOne(
                    db,
                    sql: "SELECT id FROM jobs WHERE id = ? AND state = 'queued'",
                    arguments: [job.rawValue]
                )
            case .poll(let attempt):
                try Int64.fetchOne(
                    db,
                    sql: "SELECT job_id FROM attempts WHERE id = ?",
                    arguments: [attempt.rawValue]
                )
            case .download(let result):
                try Int64.fetchOne(
                    db,
                    sql: "SELECT job_id FROM results WHERE job_id = ? AND ordinal = ? AND state = 'pending'",
                    arguments: [result.job.rawValue, result.ordinal]
                )
            }
        return job.map { JobID($0) }
    }

    private struct Key {
        var step: String
        var subject: Int64
        var ordinal: Int

        init(_ step: RiskyStep) {
            switch step {
            case .claim(let job): (self.step, subject, ordinal) = ("claim", job.rawValue, 0)
            case .poll(let attempt): (self.step, subject, ordinal) = ("poll", attempt.rawValue, 0)
            case .download(let result):
                (self.step, subject, ordinal) = ("download", result.job.rawValue, result.ordinal)
            }
        }

        static func step(_ row: Row) -> RiskyStep? {
            let subject: Int64 = row["subject"]
            switch row["step"] as String {
            case "claim": return .claim(JobID(subject))
            case "poll": return .poll(AttemptID(subject))
            case "download": return .download(ResultID(job: JobID(subject), ordinal: row["ordinal"]))
            default: return nil
            }
        }
    }
}
