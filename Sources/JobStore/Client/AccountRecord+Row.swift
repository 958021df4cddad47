import GRDB
package import PromptQueue

extension AccountRecord {
    init(_ row: Row) {
        func credits(_ column: String) -> Credits { Credits(row[column] as Double) ?? .zero }
        self.init(
            account: AccountName(stored: row["account"]),
            since: row["since"],
            comparedAt: row["compared_at"],
            ledgerSpend: credits("ledger_spend"),
            accountSpend: credits("account_spend"),
            topUps: credits("top_ups"),
            unexplained: credits("unexplained"),
            estimated: credits("estimated"),
            reservedForUnknown: credits("reserved_for_unknown"),
            givenUp: credits("given_up")
        )
    }

    /// Those of which there is a reading that can be compared.
    static func all(_ db: Database) throws -> [AccountRecord] {
        try Row.fetchAll(db, sql: "SELECT * FROM account_status ORDER BY account").map(AccountRecord.init)
    }
}

extension QueueFile {
    package func account(_ name: AccountName) throws(LedgerError) -> AccountRecord? {
        try read { db in try AccountRecord.all(db).first { $0.account == name } }
    }

    package func accounts() throws(LedgerError) -> [AccountStatus] { try read { try AccountStatus.all($0) } }

    package func setAccount(_ account: AccountName?, queue: String) throws(LedgerError) {
        try StoredText.check(queue, "queues.name")
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO queues (name, account) VALUES (?, ?)
                    ON CONFLICT (name) DO UPDATE SET account = excluded.account
                    """,
                arguments: [queue, account?.rawValue]
            )
        }
    }
}

extension AccountStatus {
    /// The standard one first, the others by name.
    static func all(_ db: Database) throws -> [AccountStatus] {
        let comparisons = try AccountRecord.all(db)
        return
            try Row
            .fetchAll(
                db,
                sql: """
                    SELECT a.*, l.rate_used, l.running,
                        -- What the balance cannot hold yet; of one that was read long ago, no more than the latest.
                        (SELECT coalesce(sum(t.reserved_millicredits + coalesce(t.charged_millicredits, 0)), 0)
                            FROM attempts AS t
                            WHERE t.id > max(a.balance_attempt_id, coalesce((SELECT max(id) FROM attempts), 0) - 20000)
                                AND t.account = a.name) AS sent_millicredits
                    FROM accounts AS a JOIN account_load AS l ON l.account = a.name
                    ORDER BY a.name <> 'default', a.name
                    """
            )
            .map { row in
                let limit: Int? = row["rate_limit"]
                let window: Int64? = row["rate_window_ms"]
                let name = AccountName(stored: row["name"])
                return AccountStatus(
                    name: name,
                    isConfigured: row["is_configured"],
                    balance: row.credits("balance_millicredits"),
                    balanceAt: row.instant("balance_at"),
                    sentSince: row.credits("sent_millicredits") ?? .zero,
                    rateUsed: row["rate_used"] ?? 0,
                    rate: limit.flatMap { limit in
                        window.map { RateLimit(count: limit, window: .milliseconds($0)) }
                    },
                    running: row["running"],
                    runningLimit: row["running_limit"],
                    rules: AccountRules(account: row),
                    comparison: comparisons.first { $0.account == name }
                )
            }
    }
}

extension AccountRules {
    /// From a row of `accounts`; the defaults where no daemon has noted its rules yet.
    init(account row: Row) {
        self.init()
        if let reserve = row.credits("credit_reserve_millicredits") { creditReserve = reserve }
        let policy: String? = row["unconfirmed_policy"]
        if let policy = policy.flatMap(UnconfirmedPolicy.init(rawValue:)) { unconfirmedPolicy = policy }
        let window: Int64? = row["unconfirmed_window_ms"]
        if let window { unconfirmedWindow = .milliseconds(window) }
    }
}
