import GRDB
package import PromptQueue

extension QueueFile {
    /// Reads what `status` shows, fast however many jobs there are: counts are kept by triggers, and of each queue's
    /// backlog no more than `sample` jobs are looked at.
    package func status(sample: Int = 5_000) throws(LedgerError) -> StatusRecord {
        try read { db in
            let queues = try Self.queues(db)
            return StatusRecord(
                daemon: try Self.daemon(db),
                queues: queues,
                budgets: try Self.budgets(db),
                gates: try Self.gates(db),
                backlog: try queues.filter { $0.counts[.queued] ?? 0 > 0 }.map {
                    try Self.backlog($0.name, jobs: $0.counts[.queued] ?? 0, sample: sample, db)
                },
                firstUnconfirmed:
                    try Int64
                    .fetchOne(db, sql: "SELECT min(id) FROM jobs WHERE state = 'unconfirmed'")
                    .map { JobID($0) },
                account: try AccountRecord.read(db)
            )
        }
    }

    package func queues() throws(LedgerError) -> [QueueRecord] { try read { try Self.queues($0) } }

    package func budgets() throws(LedgerError) -> [BudgetRecord] { try read { try Self.budgets($0) } }

    private static func daemon(_ db: Database) throws -> DaemonRecord {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT daemon.*, daemon_load.rate_used, daemon_load.running,
                    (SELECT max(finished_at) FROM attempts WHERE id > (SELECT max(id) - 1000 FROM attempts))
                        AS last_result_at
                FROM daemon, daemon_load
                """
        )
        guard let row else {
            throw LedgerError(.unusable, "the table daemon is empty; restore the database from a backup")
        }
        return DaemonRecord(row)
    }

    private static func queues(_ db: Database) throws -> [QueueRecord] {
        try Row
            .fetchAll(
                db,
                sql: "SELECT s.*, q.paused FROM queue_status AS s JOIN queues AS q ON q.name = s.queue ORDER BY s.queue"
            )
            .map(QueueRecord.init)
    }

    private static func budgets(_ db: Database) throws -> [BudgetRecord] {
        try Row
            .fetchAll(
                db,
                sql: """
                    SELECT p.name, p.queue, p.period, p.limit_millicredits, p.resets_at,
                        coalesce(sum(a.reserved_millicredits), 0) AS reserved,
                        coalesce(sum(a.charged_millicredits), 0) AS spent
                    FROM budget_periods AS p
                    LEFT JOIN attempts AS a ON a.sent_at >= p.starts_at AND (p.queue IS NULL OR a.queue = p.queue)
                    GROUP BY p.name
                    """
            )
            .map(BudgetRecord.init)
    }

    private static func gates(_ db: Database) throws -> [GateNote] {
        try Row.fetchAll(db, sql: "SELECT * FROM gates ORDER BY queue, closed_at, name").map { row in
            let message: String? = row["message"]
            return GateNote(
                name: row["name"],
                queue: row["queue"],
                closedAt: Instant(milliseconds: row["closed_at"]),
                reopensAt: row.instant("reopens_at"),
                message: message ?? ""
            )
        }
    }

    private static func backlog(_ queue: String, jobs: Int, sample: Int, _ db: Database) throws -> BacklogSample {
        var result = BacklogSample(queue: queue, jobs: jobs)
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT id, model, input, estimated_millicredits,
                    CASE WHEN estimated_millicredits IS NULL THEN prompt END AS prompt
                FROM jobs WHERE state = 'queued' AND queue = ? LIMIT ?
                """,
            arguments: [queue, sample]
        )
        while let row = try rows.next() {
            result.sampled += 1
            if let estimate = row.credits("estimated_millicredits") {
                result.estimated += estimate
            } else {
                result.unpriced.append(
                    QueuedJob(
                        id: JobID(row["id"]),
                        queue: queue,
                        model: row["model"],
                        prompt: row["prompt"],
                        input: row["input"]
                    )
                )
            }
        }
        return result
    }
}
