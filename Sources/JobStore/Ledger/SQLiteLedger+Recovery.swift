import GRDB
package import PromptQueue

extension SQLiteLedger {
    func recover(_ account: AccountName, now: Instant, rate: RateLimit) async throws(LedgerError) -> Recovery {
        try await commits.commit { [lateArrival] db in
            var recovery = Recovery()
            try Self.keepIDs(db)
            try SetAsideRows.clear(db)
            try Self.showSuspects(db, at: now)
            recovery.lost = try Int64.fetchAll(
                db,
                sql: "SELECT job_id FROM attempts WHERE state = 'sending' AND account = ? AND finished_at IS NULL",
                arguments: [account.rawValue]
            )
            .map { JobID($0) }
            let message = LedgerMessages.endedBeforeAnswer
            try db.execute(
                sql: """
                    UPDATE attempts SET state = 'unknown', answered_at = ?, arrives_until = ?, error_code = ?, message = ?
                    WHERE state = 'sending' AND account = ? AND finished_at IS NULL
                    """,
                arguments: [
                    now.milliseconds, (now + lateArrival).milliseconds, FailureCode.answerLost.rawValue,
                    message, account.rawValue,
                ]
            )
            let submitting = try Int64.fetchAll(
                db,
                sql: "SELECT j.id FROM jobs AS j WHERE j.state = 'submitting' AND \(AccountLedger.ofJob) = ?",
                arguments: [account.rawValue]
            )
            for job in submitting {
                try SetAsideRows.guarding(JobID(job), at: now, db) {
                    try Self.leaveSubmitting(JobID(job), message, now: now, db)
                }
            }
            // What producers took up again needs no separate mention: everything open is listed here.
            _ = try Self.takeUp(account, db, now: now)
            try Self.concludeSaved(account, db, now: now)
            recovery.tasks = try Self.openTasks(account, db)
            recovery.downloads = try Self.pendingDownloads(db, of: account)
            recovery.history = try Self.history(db)
            recovery.unknown = try Self.unknownAttempts(account, db)
            recovery.answeredAt =
                try Int64
                .fetchAll(
                    db,
                    sql: """
                        SELECT answered_at FROM attempts
                        WHERE answered_at > ? AND arrives_until IS NULL AND account = ?
                        ORDER BY answered_at
                        """,
                    arguments: [(now - rate.window).milliseconds, account.rawValue]
                )
                .map(Instant.init(milliseconds:))
            recovery.refusedAt = try Self.refusals(account, db, now: now, rate: rate)
            recovery.shutUntil = try Int64.fetchOne(
                db,
                sql: "SELECT shut_until FROM accounts WHERE shut_until > ? AND name = ?",
                arguments: [now.milliseconds, account.rawValue]
            ).map(Instant.init(milliseconds:))
            recovery.hasComparison = try AccountReading.last(account, db) != nil
            return recovery
        }
    }

    /// Somebody may have emptied `sqlite_sequence`; an id that is in the ledger is not given to a new job.
    private static func keepIDs(_ db: Database) throws {
        let highest =
            "SELECT max(coalesce((SELECT max(job_id) FROM attempts), 0), coalesce((SELECT max(id) FROM jobs), 0))"
        try db.execute(
            sql: """
                INSERT INTO sqlite_sequence (name, seq) SELECT 'jobs', 0
                WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'jobs')
                """
        )
        try db.execute(sql: "UPDATE sqlite_sequence SET seq = (\(highest)) WHERE name = 'jobs' AND seq < (\(highest))")
    }

    /// Where a job goes whose request was under way: to `unconfirmed`, unless somebody has settled the request by SQL.
    private static func leaveSubmitting(_ job: JobID, _ message: String, now: Instant, _ db: Database) throws {
        let open = try Row.fetchOne(
            db,
            sql: "SELECT state, task_id FROM attempts WHERE job_id = ? AND finished_at IS NULL ORDER BY id DESC",
            arguments: [job.rawValue]
        )
        if let open, let task: String = open["task_id"] {
            try db.execute(
                sql: "UPDATE jobs SET state = 'running', task_id = ? WHERE id = ?",
                arguments: [task, job.rawValue]
            )
        } else if open != nil {
            try db.execute(
                sql: "UPDATE jobs SET state = 'unconfirmed', error_code = ?, error_message = ? WHERE id = ?",
                arguments: [FailureCode.answerLost.rawValue, message, job.rawValue]
            )
        } else {
            // It may have been paid for all the same, so it is not sent again by itself.
            let record = RecordWork(db: db, now: now)
            try record.settlement.book(job)
            _ = try record.settle(job, Failure(.settledByOperator, LedgerMessages.settledBySQL(job)), .fail)
        }
    }

    /// Refusals for too many requests after which the rate may still be smaller than its limit.
    private static func refusals(
        _ account: AccountName,
        _ db: Database,
        now: Instant,
        rate: RateLimit
    ) throws -> [Instant] {
        try Int64
            .fetchAll(
                db,
                sql: """
                    SELECT answered_at FROM attempts
                    WHERE answered_at > ? AND answered_at <= ? AND error_code = ? AND account = ? ORDER BY answered_at
                    """,
                arguments: [
                    (now - rate.window * (rate.count + 2)).milliseconds, now.milliseconds,
                    FailureCode.rateLimited.rawValue, account.rawValue,
                ]
            )
            .map(Instant.init(milliseconds:))
    }

    func takeResumed(_ account: AccountName, now: Instant) async throws(LedgerError) -> Recovery {
        let exists = try await LedgerError.wrapping {
            try await self.pool.read { db in
                try Bool.fetchOne(
                    db.cachedStatement(
                        sql: "SELECT EXISTS (SELECT 1 FROM jobs WHERE is_resumed = 1)"
                    )
                ) ?? false
            }
        }
        guard exists else { return Recovery() }
        return try await commits.commit { db in
            var recovery = Recovery()
            for job in try Self.takeUp(account, db, now: now) {
                try Self.concludeSaved(account, db, job: job, now: now)
                recovery.tasks += try Self.openTasks(account, db, job: job)
                recovery.downloads += try Self.pendingDownloads(db, job: job)
            }
            return recovery
        }
    }

    /// Takes up what somebody else has: jobs that are tried again and have a task or results, and tasks that were found for
    /// a lost request. Of a job that was cancelled meanwhile nobody waits for the results, but the charge has to be booked.
    /// Its task is its first attempt; one that is waiting again is not.
    ///
    /// - Returns: the jobs that were taken up.
    private static func takeUp(_ account: AccountName, _ db: Database, now: Instant) throws -> [Int64] {
        let jobs = try Int64.fetchAll(
            db,
            sql: "SELECT j.id FROM jobs AS j WHERE j.is_resumed = 1 AND \(AccountLedger.ofJob) = ?",
            arguments: [account.rawValue]
        )
        for job in jobs {
            try SetAsideRows.guarding(JobID(job), at: now, db) {
                try db.execute(
                    sql: """
                        UPDATE jobs SET is_resumed = 0, attempt_count = CASE
                            WHEN state IN ('running', 'unconfirmed', 'cancelled') THEN max(attempt_count, 1)
                            ELSE attempt_count END
                        WHERE id = ?
                        """,
                    arguments: [job]
                )
            }
        }
        return jobs
    }

    /// Ends running jobs that were taken up again although all their results are saved: cancelled while the last
    /// download was under way.
    private static func concludeSaved(
        _ account: AccountName,
        _ db: Database,
        job: Int64? = nil,
        now: Instant
    ) throws {
        let jobs = try Int64.fetchAll(
            db,
            sql: """
                SELECT j.id FROM jobs AS j INDEXED BY jobs_running
                WHERE j.state = 'running' AND \(job == nil ? "\(AccountLedger.ofJob) = ?" : "j.id = ?")
                    AND EXISTS (SELECT 1 FROM results AS r WHERE r.job_id = j.id)
                    AND NOT EXISTS (SELECT 1 FROM results AS r WHERE r.job_id = j.id AND r.state <> 'saved')
                    AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = j.id AND a.finished_at IS NULL)
                """,
            arguments: job.map { [$0] } ?? [account.rawValue]
        )
        for job in jobs {
            try SetAsideRows.guarding(JobID(job), at: now, db) {
                _ = try RecordWork(db: db, now: now).conclude(JobID(job))
            }
        }
    }

    /// Requests that are not settled, for a log: those of which the task is known, and those that may have made one.
    package func underWay() async throws(LedgerError) -> [(job: JobID, attempt: AttemptID, task: TaskID?)] {
        try await LedgerError.wrapping {
            try await self.pool.read { db in
                try Row
                    .fetchAll(db, sql: "SELECT job_id, id, task_id FROM attempts WHERE finished_at IS NULL ORDER BY id")
                    .map { (JobID($0[0]), AttemptID($0[1]), ($0[2] as String?).map(TaskID.init)) }
            }
        }
    }

    private static func openTasks(_ account: AccountName, _ db: Database, job: Int64? = nil) throws -> [OpenTask] {
        let columns = """
            SELECT a.id, a.job_id, a.queue, j.batch, a.task_id, a.model, a.profile, a.answered_at, a.error_code,
                coalesce(j.attempt_count, 1) AS attempt_count, coalesce(j.max_attempts, 1) AS max_attempts
            """
        let arguments: StatementArguments = job.map { [account.rawValue, $0] } ?? [account.rawValue]
        // A cancelled job's task is asked about like any other, so that its charge is booked.
        let open = try Row.fetchAll(
            db,
            sql: """
                \(columns) FROM attempts AS a LEFT JOIN jobs AS j ON j.id = a.job_id
                WHERE a.finished_at IS NULL AND a.state = 'accepted' AND a.account = ? \(job == nil ? "" : "AND a.job_id = ?")
                    AND NOT \(isAside)
                ORDER BY a.id
                """,
            arguments: arguments
        )
        // Of a job that is tried again, or whose attempt somebody has settled, the last task is asked about once more.
        let ended = try Row.fetchAll(
            db,
            sql: """
                \(columns) FROM jobs AS j INDEXED BY jobs_running CROSS JOIN attempts AS a ON a.job_id = j.id
                WHERE j.state = 'running' AND a.state = 'accepted' AND a.task_id = j.task_id
                    AND a.finished_at IS NOT NULL AND a.account = ? \(job == nil ? "" : "AND j.id = ?")
                    AND NOT EXISTS (SELECT 1 FROM results AS r WHERE r.job_id = j.id)
                    AND NOT EXISTS (SELECT 1 FROM attempts AS o WHERE o.job_id = j.id AND o.finished_at IS NULL)
                    AND NOT \(isAside)
                """,
            arguments: arguments
        )
        return open.map { OpenTask($0, endedAs: nil) }
            + ended.map { row in
                let code: String? = row["error_code"]
                return OpenTask(row, endedAs: code.flatMap(FailureCode.init(rawValue:)) ?? .taskFailed)
            }
    }

    /// Those of a job; or those that were paid for by an account.
    static func pendingDownloads(
        _ db: Database,
        job: Int64? = nil,
        of account: AccountName = .standard
    ) throws -> [PendingDownload] {
        let payer = "coalesce((SELECT a.account FROM attempts AS a WHERE a.id = r.attempt_id), 'default')"
        return
            try Row
            .fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT r.job_id, r.ordinal, r.url, r.content, r.created_at, j.queue, j.batch
                        FROM results AS r JOIN jobs AS j ON j.id = r.job_id
                        WHERE r.state = 'pending' AND j.state = 'running'
                            AND \(job == nil ? "\(payer) = ?" : "r.job_id = ?")
                        ORDER BY r.created_at, r.job_id, r.ordinal
                        """
                ),
                arguments: job.map { [$0] } ?? [account.rawValue]
            )
            .map { row in
                let url: String? = row["url"]
                let content: String? = row["content"]
                return PendingDownload(
                    result: ResultID(job: JobID(row["job_id"]), ordinal: row["ordinal"]),
                    output: url.map { .file(url: $0) } ?? .object(json: content ?? ""),
                    origin: JobOrigin(row: row),
                    createdAt: Instant(milliseconds: row["created_at"])
                )
            }
    }
}

extension OpenTask {
    fileprivate init(_ row: Row, endedAs: FailureCode?) {
        self.init(
            attempt: AttemptID(row["id"]),
            job: JobID(row["job_id"]),
            origin: JobOrigin(row: row),
            task: TaskID(row["task_id"]),
            model: row["model"],
            acceptedAt: Instant(milliseconds: row["answered_at"]),
            attemptCount: row["attempt_count"],
            maxAttempts: row["max_attempts"],
            profile: row["profile"],
            endedAs: endedAs
        )
    }
}
