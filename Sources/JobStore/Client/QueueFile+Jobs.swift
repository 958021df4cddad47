import GRDB
package import PromptQueue

extension QueueFile {
    package func hasBatch(_ name: String) throws(LedgerError) -> Bool {
        try read { db in
            try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM jobs WHERE batch = ?)", arguments: [name]) ?? false
        }
    }

    /// A seek for each, however many jobs it has.
    package func batches(limit: Int) throws(LedgerError) -> [String] {
        try read { db in
            try String.fetchAll(
                db,
                sql: """
                    WITH RECURSIVE seen (batch) AS (
                        SELECT min(batch) FROM jobs WHERE batch IS NOT NULL
                        UNION ALL
                        SELECT (SELECT min(batch) FROM jobs WHERE batch > seen.batch) FROM seen WHERE seen.batch IS NOT NULL
                    )
                    SELECT batch FROM seen WHERE batch IS NOT NULL LIMIT ?
                    """,
                arguments: [limit]
            )
        }
    }

    package func forEachJob(
        matching filter: JobFilter,
        order: JobOrder,
        limit: Int,
        _ body: (JobRecord) throws -> Void
    ) throws(LedgerError) {
        // What was given to `body` cannot be taken back: an index that fails later is no reason to begin again.
        try searching(filter) { db, search in
            let (condition, arguments) = try filter.condition(search, db)
            let rows = try Row.fetchCursor(
                db,
                sql: "SELECT \(JobRecord.selection) FROM jobs WHERE \(condition) ORDER BY \(order.sql) LIMIT \(limit)",
                arguments: arguments
            )
            while let row = try rows.next() { try body(JobRecord(row)) }
        }
    }

    package func ids(matching filter: JobFilter, limit: Int) throws(LedgerError) -> [JobID] {
        let (condition, arguments) = filter.condition
        return try read { db in
            try Int64.fetchAll(
                db,
                sql: "SELECT id FROM jobs WHERE \(condition) ORDER BY id LIMIT ?",
                arguments: arguments + [limit]
            )
            .map { JobID($0) }
        }
    }

    package func jobs(
        matching filter: JobFilter,
        after: JobID?,
        limit: Int
    ) throws(LedgerError) -> [ExportedJob] {
        try searching(filter) { db, search in
            let (condition, arguments) = try filter.condition(search, db)
            return
                try Row
                .fetchAll(
                    db,
                    sql: """
                        SELECT \(JobRecord.selection) FROM jobs WHERE \(condition) AND jobs.id > ?
                        ORDER BY jobs.id LIMIT ?
                        """,
                    arguments: arguments + [after?.rawValue ?? 0, limit]
                )
                .map { row in
                    let job = try JobRecord(row)
                    return ExportedJob(job: job, results: try Self.results(db, job.id))
                }
        }
    }

    private static func results(_ db: Database, _ job: JobID) throws -> [ResultRecord] {
        let statement = try db.cachedStatement(sql: "SELECT * FROM results WHERE job_id = ? ORDER BY ordinal")
        return try Row.fetchAll(statement, arguments: [job.rawValue]).map(ResultRecord.init)
    }

    package func details(of id: JobID) throws(LedgerError) -> JobDetails? {
        try read { db in try Self.details(db, id) }
    }

    static func details(_ db: Database, _ id: JobID) throws -> JobDetails? {
        let row = try Row.fetchOne(
            db,
            sql: "SELECT \(JobRecord.selection) FROM jobs WHERE id = ?",
            arguments: [id.rawValue]
        )
        guard let row else { return nil }
        var details = JobDetails(
            job: try JobRecord(row),
            attempts:
                try Row
                .fetchAll(db, sql: "SELECT * FROM attempts WHERE job_id = ? ORDER BY id", arguments: [id.rawValue])
                .map(AttemptRecord.init),
            results: try results(db, id),
            running: try running(db, id),
            rules: try rules(db, id),
            blockedBy: try blockedBy(db, id)
        )
        details.chain = try chain(db, id)
        return details
    }

    /// Those of the account that the job was sent under, or will be.
    private static func rules(_ db: Database, _ id: JobID) throws -> AccountRules {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT a.* FROM jobs AS j JOIN accounts AS a ON a.name = CASE WHEN j.state = 'queued'
                    THEN coalesce((SELECT account FROM queues WHERE name = j.queue), 'default')
                    ELSE \(AccountLedger.ofJob) END
                WHERE j.id = ?
                """,
            arguments: [id.rawValue]
        )
        return row.map(AccountRules.init(account:)) ?? AccountRules()
    }

    private static func blockedBy(_ db: Database, _ id: JobID) throws -> (reason: BlockReason, message: String?)? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT s.blocked_by, (SELECT g.message FROM gates AS g
                    WHERE g.name = s.blocked_by AND g.queue IN ('', s.queue) AND g.account IN ('', s.account) LIMIT 1) AS message
                FROM jobs AS j JOIN queue_status AS s ON s.queue = j.queue
                WHERE j.id = ? AND j.state = 'queued' AND s.blocked_by IS NOT NULL
                """,
            arguments: [id.rawValue]
        )
        return row.map { (BlockReason(rawValue: $0["blocked_by"]), $0["message"]) }
    }

    private static func running(_ db: Database, _ id: JobID) throws -> RunningTask? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT model, profile, answered_at FROM attempts
                WHERE job_id = ? AND state = 'accepted' AND finished_at IS NULL ORDER BY id DESC
                """,
            arguments: [id.rawValue]
        )
        guard let row else { return nil }
        let key = CompletionKey(model: row["model"], profile: row["profile"])
        var history = CompletionHistory()
        history.learn(try SQLiteLedger.history(db, model: key.model))
        return history.curve(for: key).map {
            RunningTask(since: Instant(milliseconds: row["answered_at"]), curve: $0)
        }
    }
}
