import Postgres
package import PromptQueue

extension PostgresQueue {
    package func status(sample: Int) throws(LedgerError) -> StatusRecord {
        try reading { connection in
            let rows = try connection.pipeline { pipeline in
                pipeline.add(QueueRecord.all)
                pipeline.add(BudgetRecord.all)
                pipeline.add(Self.daemon)
                pipeline.add(
                    "SELECT name, queue, account, closed_at, reopens_at, message FROM gates ORDER BY queue, closed_at, name, account"
                )
                // By the index of what is open: a few hundred rows at most.
                pipeline.add(
                    """
                    SELECT model, count(*), max(coalesce(answered_at, sent_at)) FROM attempts
                    WHERE finished_at IS NULL AND state IN ('sending', 'accepted') GROUP BY model ORDER BY model
                    """
                )
                pipeline.add(Self.meanDurations)
                pipeline.add("SELECT min(id) FROM jobs WHERE state = 'unconfirmed'")
                AccountRows.ask(&pipeline)
                PriceRows.ask(&pipeline)
            }
            let queues = try rows[0].map(QueueRecord.init(row:))
            let accounts = try AccountRows.all(rows[7..<7 + AccountRows.questions])
            return StatusRecord(
                daemon: try DaemonRecord(row: rows[2].only(), accounts),
                accounts: accounts,
                queues: queues,
                budgets: try rows[1].map(BudgetRecord.init(row:)),
                gates: try rows[3].map(GateNote.init(row:)),
                backlog: try Backlog.samples(of: queues, sample: sample, connection),
                underWay: try rows[4].map { row in
                    UnderWaySample(model: try row[0], tasks: try row[1], latest: Instant(milliseconds: try row[2]))
                },
                prices: try PriceRows.book(rows[(7 + AccountRows.questions)...]),
                catalogue: try catalogue(connection),
                durations: try Self.durations(rows[5]),
                firstUnconfirmed: try (rows[6].only()[0] as Int64?).map { JobID($0) },
                account: accounts.first?.comparison
            )
        }
    }

    private static let daemon: SQL = """
        SELECT version, started_at, last_error, last_error_at,
            (SELECT max(finished_at) FROM attempts WHERE id > (SELECT max(id) - 1000 FROM attempts) AND state = 'accepted')
        FROM daemon
        """

    private static let meanDurations: SQL = "SELECT model, mean_milliseconds FROM completion_times"

    private static func durations(_ rows: PostgresRows) throws -> [String: Duration] {
        try rows.reduce(into: [:]) { $0[try $1[0]] = .milliseconds(try $1[1] as Int64) }
    }

    package func durations() throws(LedgerError) -> [String: Duration] {
        let rows = try read(Self.meanDurations)
        return try LedgerError.wrapping { try Self.durations(rows) }
    }

    package func queues() throws(LedgerError) -> [QueueRecord] {
        let rows = try read(QueueRecord.all)
        return try LedgerError.wrapping { try rows.map(QueueRecord.init(row:)) }
    }

    package func budgets() throws(LedgerError) -> [BudgetRecord] {
        let rows = try read(BudgetRecord.all)
        return try LedgerError.wrapping { try rows.map(BudgetRecord.init(row:)) }
    }

    package func accounts() throws(LedgerError) -> [AccountStatus] {
        try reading { try AccountRows.all($0.pipeline { AccountRows.ask(&$0) }[...]) }
    }

    package func account(_ name: AccountName) throws(LedgerError) -> AccountRecord? {
        try accounts().first { $0.name == name }?.comparison
    }
}

extension QueueRecord {
    static let all: SQL = """
        SELECT s.queue, s.queued, s.running, s.succeeded, s.failed, s.cancelled, s.unconfirmed, s.max_running, q.paused,
            s.blocked_by, s.account
        FROM queue_status AS s JOIN queues AS q ON q.name = s.queue ORDER BY s.queue
        """

    /// From `all`. `running` holds those that are being submitted, too.
    fileprivate init(row: PostgresRow) throws {
        self.init(
            name: try row[0],
            counts: [
                .queued: try row[1], .running: try row[2], .succeeded: try row[3], .failed: try row[4],
                .cancelled: try row[5], .unconfirmed: try row[6],
            ],
            maxRunning: try row[7],
            isPaused: try (row[8] as Int64) != 0,
            blockedBy: try (row[9] as String?).map(BlockReason.init(rawValue:)),
            account: AccountName(stored: try row[10])
        )
    }
}

extension BudgetRecord {
    static let all: SQL = """
        SELECT name, queue, model, batch, label, account, period, limit_millicredits, reserved_millicredits, charged_millicredits,
            resets_at
        FROM budget_sums ORDER BY name
        """

    /// From `all`.
    fileprivate init(row: PostgresRow) throws {
        self.init(
            name: try row[0],
            scope: BudgetScope(
                queue: try row[1],
                model: try row[2],
                batch: try row[3],
                label: try (row[4] as String?).flatMap(BudgetScope.Label.init(text:)),
                account: try (row[5] as String?).map(AccountName.init(stored:))
            ),
            period: try row[6],
            limit: Credits(millicredits: try row[7]),
            reserved: Credits(millicredits: try row[8]),
            spent: Credits(millicredits: try row[9]),
            resetsAt: try row.instant(10)
        )
    }
}

extension DaemonRecord {
    fileprivate init(row: PostgresRow, _ accounts: [AccountStatus]) throws {
        self.init(
            version: try row[0],
            startedAt: try row.instant(1),
            lastError: try row[2],
            lastErrorAt: try row.instant(3),
            lastResultAt: try row.instant(4),
            accounts: accounts
        )
    }
}

extension GateNote {
    fileprivate init(row: PostgresRow) throws {
        let message: String? = try row[5]
        let account: String = try row[2]
        self.init(
            name: try row[0],
            queue: try row[1],
            closedAt: Instant(milliseconds: try row[3]),
            reopensAt: try row.instant(4),
            message: message ?? ""
        )
        if !account.isEmpty { self.account = AccountName(stored: account) }
    }
}
