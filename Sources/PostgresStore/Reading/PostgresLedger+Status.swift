import Postgres
package import PromptQueue

extension PostgresLedger: StatusSource {
    /// Whether something can be written now: a write of the daemon's own row that changes nothing.
    package func isWritable() async -> Bool {
        do throws(LedgerError) {
            try await change { [self] transaction in
                _ = try await transaction.query(
                    "UPDATE daemons SET heartbeat_at = heartbeat_at WHERE epoch = $1",
                    [.int(epoch.rawValue)]
                )
            }
            return true
        } catch {
            return false
        }
    }

    /// All of one instant.
    package func figures() async throws(LedgerError) -> StatusFigures {
        try await LedgerError.wrapping {
            var options = TransactionOptions()
            options.isolation = .repeatableRead
            options.isReadOnly = true
            return try await self.reads.connection().transaction(options) { transaction in
                var figures = try await Self.counts(transaction)
                try await Self.money(transaction, &figures)
                figures.note(try await AccountRows.all(transaction))
                return figures
            }
        }
    }

    private static func counts(_ transaction: PostgresTransaction) async throws -> StatusFigures {
        let rows = try await transaction.pipeline { pipeline in
            pipeline.add("SELECT queue, state, jobs FROM queue_counts ORDER BY queue, state")
            pipeline.add(
                """
                SELECT q.name, q.paused, (SELECT count(*) FROM job_turns AS t WHERE t.queue = q.name)
                    + (SELECT count(*) FROM job_times AS t JOIN jobs AS j ON j.id = t.job_id
                        WHERE t.run_at <= now_ms() AND j.queue = q.name)
                FROM queues AS q ORDER BY q.name
                """
            )
            pipeline.add("SELECT DISTINCT name FROM gates ORDER BY name")
            pipeline.add(
                """
                SELECT (SELECT count(*) FROM (
                        SELECT job_id FROM set_aside UNION SELECT job_id FROM suspects WHERE is_aside = 1) AS s),
                    (SELECT count(*) FROM results WHERE state = 'pending'),
                    (SELECT count(*) FROM hook_deliveries WHERE state = 'pending'),
                    (SELECT count(*) FROM hook_deliveries WHERE state = 'dead'),
                    l.rate_used, coalesce(l.rate_limit, 0), l.running, coalesce(l.running_limit, 0), d.heartbeat_at, d.last_error_at,
                    (SELECT min(w.since) FROM queues AS q CROSS JOIN LATERAL (
                        SELECT greatest(j.created_at, j.run_at) AS since FROM job_turns AS t JOIN jobs AS j ON j.id = t.job_id
                        WHERE t.queue = q.name ORDER BY t.priority DESC, t.model, t.turn LIMIT 1) AS w WHERE q.paused = 0),
                    pg_database_size(current_database()),
                    (SELECT count(*) FROM daemons AS m WHERE m.ended_at IS NULL AND m.lease_until > now_ms()),
                    (SELECT count(*) FROM daemons AS m WHERE m.fenced_by IS NOT NULL)
                FROM daemon_load AS l CROSS JOIN daemon AS d
                """
            )
        }
        var figures = StatusFigures()
        figures.jobs = try rows[0].map { .init(queue: try $0[0], state: try $0[1], jobs: try $0[2]) }
        figures.queues = try rows[1].map { .init(name: try $0[0], isPaused: try ($0[1] as Int64) != 0, due: try $0[2]) }
        figures.gates = try rows[2].map { try $0[0] }
        let row = try rows[3].only()
        figures.setAside = try row[0]
        figures.pendingResults = try row[1]
        figures.hooksPending = try row[2]
        figures.hooksDead = try row[3]
        figures.rateUsed = try row[4]
        figures.rateLimit = try row[5]
        figures.running = try row[6]
        figures.runningLimit = try row[7]
        figures.heartbeat = try (row[8] as Int64?).map(Instant.init(milliseconds:))
        figures.lastError = try (row[9] as Int64?).map(Instant.init(milliseconds:))
        figures.waitingSince = try (row[10] as Int64?).map(Instant.init(milliseconds:))
        figures.databaseBytes = try row[11]
        figures.daemons = DaemonFigures(members: try row[12], takenOver: try row[13])
        return figures
    }

    private static func money(_ transaction: PostgresTransaction, _ figures: inout StatusFigures) async throws {
        let rows = try await transaction.pipeline { pipeline in
            pipeline.add(
                """
                SELECT coalesce(sum(reserved_millicredits), 0),
                    coalesce(sum(reserved_millicredits) FILTER (WHERE state = 'unknown'), 0),
                    (SELECT coalesce(sum(charged_millicredits), 0) FROM spending WHERE period = 'total')
                FROM attempts WHERE finished_at IS NULL
                """
            )
            pipeline.add(
                "SELECT name, limit_millicredits, reserved_millicredits, charged_millicredits FROM budget_sums ORDER BY name"
            )
        }
        let row = try rows[0].only()
        figures.reserved = Credits(millicredits: try row[0])
        figures.reservedForUnknown = Credits(millicredits: try row[1])
        figures.charged = Credits(millicredits: try row[2])
        figures.budgets = try rows[1].map { row in
            func credits(_ column: Int) throws -> Credits { Credits(millicredits: try (row[column] as Int64?) ?? 0) }
            return BudgetFigures(
                name: try row[0],
                limit: try credits(1),
                reserved: try credits(2),
                charged: try credits(3)
            )
        }
    }
}

/// The rows of `accounts`, with what the ledger says of their load.
enum AccountRows {
    /// The standard one first, the others by name.
    static func all(_ transaction: PostgresTransaction) async throws -> [AccountStatus] {
        try all(await transaction.pipeline { ask(&$0) }[...])
    }

    /// How many questions `ask` asks.
    static let questions = 2

    static func ask(_ pipeline: inout PostgresPipeline) {
        pipeline.add(
            """
            SELECT account, since, compared_at, ledger_spend, account_spend, top_ups, unexplained, estimated,
                reserved_for_unknown, given_up
            FROM account_status
            """
        )
        pipeline.add(
            """
            SELECT a.name, a.is_configured, a.balance_millicredits, a.balance_at, l.rate_used, a.rate_limit, a.rate_window_ms,
                l.running, a.running_limit, a.credit_reserve_millicredits, a.unconfirmed_policy, a.unconfirmed_window_ms,
                -- What the balance cannot hold yet; of one that was read long ago, no more than the latest.
                (SELECT coalesce(sum(t.reserved_millicredits + coalesce(t.charged_millicredits, 0)), 0) FROM attempts AS t
                    WHERE a.balance_attempt_id IS NOT NULL AND t.id > greatest(a.balance_attempt_id, coalesce((SELECT max(id) FROM attempts), 0) - 20000)
                        AND t.account = a.name)
            FROM accounts AS a JOIN account_load AS l ON l.account = a.name
            ORDER BY a.name <> 'default', a.name
            """
        )
    }

    /// The answers to what `ask` asks.
    static func all(_ rows: ArraySlice<PostgresRows>) throws -> [AccountStatus] {
        let comparisons = try rows[rows.startIndex].map(AccountRecord.init(row:))
        return try rows[rows.startIndex + 1].map { row in try AccountStatus(row: row, comparisons) }
    }
}

extension AccountRecord {
    fileprivate init(row: PostgresRow) throws {
        func credits(_ column: Int) throws -> Credits { Credits(try row[column] as Double) ?? .zero }
        self.init(
            account: AccountName(stored: try row[0]),
            since: try row[1],
            comparedAt: try row[2],
            ledgerSpend: try credits(3),
            accountSpend: try credits(4),
            topUps: try credits(5),
            unexplained: try credits(6),
            estimated: try credits(7),
            reservedForUnknown: try credits(8),
            givenUp: try credits(9)
        )
    }
}

extension AccountStatus {
    fileprivate init(row: PostgresRow, _ comparisons: [AccountRecord]) throws {
        let name = AccountName(stored: try row[0])
        var rules = AccountRules()
        if let reserve = try row[9] as Int64? { rules.creditReserve = Credits(millicredits: reserve) }
        if let policy = try (row[10] as String?).flatMap(UnconfirmedPolicy.init(rawValue:)) {
            rules.unconfirmedPolicy = policy
        }
        if let window = try row[11] as Int64? { rules.unconfirmedWindow = .milliseconds(window) }
        let (limit, window): (Int?, Int64?) = (try row[5], try row[6])
        self.init(
            name: name,
            isConfigured: try (row[1] as Int64) != 0,
            balance: try (row[2] as Int64?).map(Credits.init(millicredits:)),
            balanceAt: try (row[3] as Int64?).map(Instant.init(milliseconds:)),
            sentSince: Credits(millicredits: try row[12]),
            rateUsed: try (row[4] as Int?) ?? 0,
            rate: limit.flatMap { limit in window.map { RateLimit(count: limit, window: .milliseconds($0)) } },
            running: try row[7],
            runningLimit: try row[8],
            rules: rules,
            comparison: comparisons.first { $0.account == name }
        )
    }
}
