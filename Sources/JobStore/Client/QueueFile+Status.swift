import GRDB
package import PromptQueue

extension QueueFile {
    /// Fast, because counts are kept by triggers.
    package func status(sample: Int) throws(LedgerError) -> StatusRecord {
        try read { db in
            let queues = try Self.queues(db)
            let waiting = queues.map { ($0.name, jobs: $0.counts[.queued] ?? 0) }.filter { $0.jobs > 0 }
            let shares = BacklogSample.shares(of: sample, among: waiting.map(\.jobs))
            let accounts = try AccountStatus.all(db)
            return StatusRecord(
                daemon: try Self.daemon(db, accounts),
                accounts: accounts,
                queues: queues,
                budgets: try Self.budgets(db),
                gates: try Self.gates(db),
                backlog: try zip(waiting, shares).map { queue, share in
                    try Self.backlog(queue.0, jobs: queue.jobs, sample: share, db)
                },
                underWay: try Self.underWay(db),
                prices: try Self.priceBook(db),
                catalogue: try catalogue(db),
                durations: try Self.durations(db),
                firstUnconfirmed:
                    try Int64
                    .fetchOne(db, sql: "SELECT min(id) FROM jobs WHERE state = 'unconfirmed'")
                    .map { JobID($0) },
                account: accounts.first?.comparison
            )
        }
    }

    package func queues() throws(LedgerError) -> [QueueRecord] { try read { try Self.queues($0) } }

    package func budgets() throws(LedgerError) -> [BudgetRecord] { try read { try Self.budgets($0) } }

    private static func daemon(_ db: Database, _ accounts: [AccountStatus]) throws -> DaemonRecord {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT daemon.*,
                    (SELECT max(finished_at) FROM attempts
                        WHERE id > (SELECT max(id) - 1000 FROM attempts) AND state = 'accepted') AS last_result_at
                FROM daemon
                """
        )
        guard let row else {
            throw LedgerError(.unusable, "the table daemon is empty; restore the database from a backup")
        }
        return DaemonRecord(row, accounts)
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
                    SELECT name, queue, model, batch, label, account, period, limit_millicredits, resets_at, reserved_millicredits AS reserved,
                        charged_millicredits AS spent
                    FROM budget_sums ORDER BY name
                    """
            )
            .map(BudgetRecord.init)
    }

    private static func gates(_ db: Database) throws -> [GateNote] {
        try Row.fetchAll(db, sql: "SELECT * FROM gates ORDER BY queue, closed_at, name, account").map { row in
            let message: String? = row["message"]
            let account: String = row["account"]
            var note = GateNote(
                name: row["name"],
                queue: row["queue"],
                closedAt: Instant(milliseconds: row["closed_at"]),
                reopensAt: row.instant("reopens_at"),
                message: message ?? ""
            )
            if !account.isEmpty { note.account = AccountName(stored: account) }
            return note
        }
    }

    /// By the index of what is open: a few hundred rows at most.
    private static func underWay(_ db: Database) throws -> [UnderWaySample] {
        try Row
            .fetchAll(
                db,
                sql: """
                    SELECT model, count(*) AS tasks, max(coalesce(answered_at, sent_at)) AS latest FROM attempts
                    WHERE finished_at IS NULL AND state IN ('sending', 'accepted') GROUP BY model ORDER BY model
                    """
            )
            .map { row in
                UnderWaySample(
                    model: row["model"],
                    tasks: row["tasks"],
                    latest: Instant(milliseconds: row["latest"])
                )
            }
    }

    static func durations(_ db: Database) throws -> [String: Duration] {
        try Row.fetchAll(db, sql: "SELECT model, mean_milliseconds FROM completion_times")
            .reduce(into: [:]) { durations, row in
                let mean: Int64 = row["mean_milliseconds"]
                durations[row["model"]] = .milliseconds(mean)
            }
    }

    private static func backlog(_ queue: String, jobs: Int, sample: Int, _ db: Database) throws -> BacklogSample {
        var result = BacklogSample(queue: queue, jobs: jobs)
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT model, is_firm, iif(is_firm, NULL, input), count(*), sum(iif(is_firm, estimated_millicredits, 0)),
                    -- The prompt is that of the first.
                    min(id), prompt
                FROM (SELECT *, \(JobEstimate.isFirm) AS is_firm
                    -- Of this queue alone, due, scheduled or waiting: whoever resumes it is told what all of them cost.
                    FROM jobs INDEXED BY jobs_listed WHERE queue = :queue AND state = 'queued' AND id > 0
                    LIMIT :sample)
                GROUP BY 1, 2, 3
                """,
            arguments: ["queue": queue, "sample": sample]
        )
        while let row = try rows.next() {
            let model: String = row[0]
            let jobs: Int = row[3]
            result.sampled += jobs
            result.models[model, default: 0] += jobs
            if row[1] {
                result.estimated += Credits(millicredits: row[4])
            } else {
                let first = QueuedJob(
                    id: JobID(row[5]),
                    queue: queue,
                    model: model,
                    prompt: row[6],
                    input: row[2],
                    allowsUnknownFields: true
                )
                result.unpriced.append(UnpricedJobs(first: first, jobs: jobs))
            }
        }
        return result
    }
}
