import GRDB
import PromptQueue

// Rows of `account_readings`. What they tell is AccountComparison's and Evidence's to say.
extension AccountReading {
    // MARK: - From the ledger

    /// The row for a reading that was answered at `now`.
    init(
        _ reading: BalanceReading,
        of account: AccountName,
        answeredAt now: Instant,
        lastAttempt: Int64,
        _ db: Database
    ) throws {
        let totals = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM accounts WHERE name = ?"),
            arguments: [account.rawValue]
        )
        let open = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT state, count(*) AS attempts, sum(reserved_millicredits) AS reserved FROM attempts
                    WHERE finished_at IS NULL AND account = ? GROUP BY state
                    """
            ),
            arguments: [account.rawValue]
        )
        let byState = Dictionary(uniqueKeysWithValues: open.map { ($0["state"] as String, $0) })
        // The ledger's own look: what was answered after the question, or lost shortly before it, may be in the
        // balance or not.
        let isDisturbed =
            try Bool.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT EXISTS (SELECT 1 FROM attempts WHERE state = 'sending' AND account = ?4 AND finished_at IS NULL)
                            OR EXISTS (SELECT 1 FROM attempts
                                WHERE answered_at >= ?1 AND answered_at <= ?3 AND account = ?4)
                            OR EXISTS (SELECT 1 FROM attempts
                                WHERE finished_at IS NULL AND state = 'unknown' AND answered_at > ?2 AND account = ?4)
                        """
                ),
                arguments: [
                    reading.askedAt.milliseconds, (reading.askedAt - BalanceReading.settlingTime).milliseconds,
                    // Beyond that it is from before the clock was set back.
                    (now + BalanceReading.settlingTime).milliseconds, account.rawValue,
                ]
            ) ?? true
        self.init(
            askedAt: reading.askedAt,
            answeredAt: now,
            balance: reading.balance,
            charged: totals?.credits("charged_millicredits") ?? .zero,
            presumed: totals?.credits("presumed_millicredits") ?? .zero,
            adopted: totals?.credits("adopted_millicredits") ?? .zero,
            open: byState["accepted"]?.credits("reserved") ?? .zero,
            openTasks: byState["accepted"]?["attempts"] ?? 0,
            unknown: byState["unknown"]?.credits("reserved") ?? .zero,
            isComparable: reading.isQuiet && !isDisturbed,
            lastAttempt: lastAttempt
        )
    }

    private init(_ row: Row) {
        let inFlight: Bool = row["in_flight"]
        self.init(
            askedAt: Instant(milliseconds: row["asked_at"]),
            answeredAt: Instant(milliseconds: row["answered_at"]),
            balance: Credits(millicredits: row["balance_millicredits"]),
            charged: Credits(millicredits: row["charged_millicredits"]),
            presumed: Credits(millicredits: row["presumed_millicredits"]),
            adopted: Credits(millicredits: row["adopted_millicredits"]),
            open: Credits(millicredits: row["open_millicredits"]),
            openTasks: row["open_tasks"],
            unknown: Credits(millicredits: row["unknown_millicredits"]),
            isComparable: !inFlight,
            lastAttempt: row["last_attempt_id"],
            topUps: Credits(millicredits: row["top_ups_millicredits"]),
            slack: Credits(millicredits: row["slack_millicredits"])
        )
    }

    /// The newest row that can be compared.
    static func last(_ account: AccountName, _ db: Database) throws -> Self? {
        try fetch(
            db,
            "SELECT * FROM account_readings WHERE account = ? AND in_flight = 0 ORDER BY id DESC LIMIT 1",
            [account.rawValue]
        )
    }

    /// The newest row that can be compared and was taken while no task was open.
    static func lastSettled(_ account: AccountName, _ db: Database) throws -> Self? {
        try fetch(
            db,
            """
            SELECT * FROM account_readings WHERE account = ? AND in_flight = 0 AND open_tasks = 0
            ORDER BY last_attempt_id DESC, id DESC LIMIT 1
            """,
            [account.rawValue]
        )
    }

    /// The oldest such row that is not older than `instant`.
    static func firstSettled(_ account: AccountName, _ db: Database, since instant: Instant) throws -> Self? {
        try fetch(
            db,
            """
            SELECT * FROM account_readings
            WHERE account = ? AND in_flight = 0 AND open_tasks = 0 AND asked_at >= ?
            ORDER BY last_attempt_id, id LIMIT 1
            """,
            [account.rawValue, instant.milliseconds]
        )
    }

    /// The row that the comparison begins with: as `account_status` takes it.
    static func first(_ account: AccountName, _ db: Database) throws -> Self? {
        if let settled = try firstSettled(account, db, since: Instant(milliseconds: .min)) { return settled }
        return try fetch(
            db,
            "SELECT * FROM account_readings WHERE account = ? AND in_flight = 0 ORDER BY id LIMIT 1",
            [account.rawValue]
        )
    }

    private static func fetch(_ db: Database, _ sql: String, _ arguments: StatementArguments = []) throws -> Self? {
        try Row.fetchOne(db.cachedStatement(sql: sql), arguments: arguments).map(Self.init)
    }

    // MARK: - Into the ledger

    /// Adds the row, unless it repeats the last; and drops what nothing needs any more.
    func insert(_ account: AccountName, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO account_readings (asked_at, answered_at, balance_millicredits, charged_millicredits,
                    presumed_millicredits, adopted_millicredits, open_millicredits, open_tasks, unknown_millicredits,
                    in_flight, last_attempt_id, top_ups_millicredits, slack_millicredits, account)
                SELECT :asked, :answered, :balance, :charged, :presumed, :adopted, :open, :tasks, :unknown, :inFlight, :last,
                    :topUps, :slack, :account
                WHERE NOT EXISTS (SELECT 1 FROM account_readings AS r
                    WHERE r.id = (SELECT max(id) FROM account_readings WHERE account = :account)
                        AND r.balance_millicredits = :balance AND r.charged_millicredits = :charged
                        AND r.presumed_millicredits = :presumed AND r.open_millicredits = :open
                        AND r.open_tasks = :tasks AND r.unknown_millicredits = :unknown AND r.in_flight = :inFlight
                        AND r.last_attempt_id = :last AND r.top_ups_millicredits = :topUps)
                """
        )
        .execute(
            arguments: [
                "asked": askedAt.milliseconds, "answered": answeredAt.milliseconds,
                "balance": balance.millicredits, "charged": charged.millicredits, "presumed": presumed.millicredits,
                "adopted": adopted.millicredits, "open": open.millicredits, "tasks": openTasks,
                "unknown": unknown.millicredits,
                "inFlight": !isComparable, "last": lastAttempt, "topUps": topUps.millicredits,
                "slack": slack.millicredits, "account": account.rawValue,
            ]
        )
        // The beginning of the comparison stays, and the last row that proves something.
        let needed = try [Self.first(account, db), Self.lastSettled(account, db)].compactMap { $0?.lastAttempt }
        try db.cachedStatement(
            sql: """
                DELETE FROM account_readings
                WHERE id IN (SELECT id FROM account_readings WHERE account = ?4 ORDER BY id LIMIT 100)
                    AND asked_at < ?1 AND last_attempt_id NOT IN (?2, ?3)
                """
        )
        .execute(arguments: [(askedAt - Self.lifetime).milliseconds, needed.first, needed.last, account.rawValue])
    }
}
