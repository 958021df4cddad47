import GRDB
import PromptQueue

/// What a claim may spend without letting the account's balance fall below `credits.reserve`.
///
/// From the balance last read is taken what it cannot hold: attempts under way, those answered after it was asked for,
/// and those whose answer was lost so shortly before that they may yet be charged.
struct ReserveRoom {
    private var left: Credits?

    /// Nil if there is no reserve to keep.
    init?(_ request: ClaimRequest, _ db: Database) throws {
        guard request.creditReserve > .zero else { return nil }
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT balance_millicredits, balance_asked_at, balance_attempt_id FROM daemon")
        )
        guard let row, let balance = row.credits("balance_millicredits"), let asked = row.instant("balance_asked_at"),
            // An instant in the future is from before the clock was set back, and says nothing.
            asked > request.now - BalanceReading.lifetime, asked <= request.now + BalanceReading.settlingTime
        else { return }
        let last: Int64? = row["balance_attempt_id"]
        let committed = try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT coalesce(sum(money), 0) FROM (
                        SELECT reserved_millicredits + coalesce(charged_millicredits, 0) AS money FROM attempts
                        WHERE id > :last
                        UNION ALL
                        SELECT reserved_millicredits FROM attempts WHERE state = 'sending' AND id <= :last
                        UNION ALL
                        SELECT reserved_millicredits + coalesce(charged_millicredits, 0) FROM attempts
                        WHERE answered_at >= :asked AND answered_at <= :future AND id <= :last
                        UNION ALL
                        SELECT reserved_millicredits + coalesce(charged_millicredits, 0) FROM attempts
                        WHERE state = 'unknown' AND answered_at > :settled AND answered_at < :asked AND id <= :last)
                    """
            ),
            arguments: [
                "last": last ?? 0, "asked": asked.milliseconds,
                "future": (request.now + BalanceReading.settlingTime).milliseconds,
                "settled": (asked - BalanceReading.settlingTime).milliseconds,
            ]
        )
        left = balance - Credits(millicredits: committed ?? 0) - request.creditReserve
    }

    /// Takes a job's price; or says why it has to wait. After that nothing is given any more: the order is kept, and a
    /// expensive job is not overtaken for ever by cheap ones.
    mutating func take(_ price: Credits) -> ReserveHold? {
        guard let left else { return .balanceUnknown }
        if isHeld || left < price {
            isHeld = true
            return .short(left: left, price: price)
        }
        self.left = left - price
        return nil
    }

    private var isHeld = false
}

extension RecordWork {
    func rules(_ rules: AccountRules) throws {
        try run(
            """
            UPDATE daemon SET credit_reserve_millicredits = ?, unconfirmed_policy = ?, unconfirmed_window_ms = ?
            """,
            [
                rules.creditReserve.millicredits, rules.unconfirmedPolicy.rawValue,
                rules.unconfirmedWindow.milliseconds,
            ]
        )
    }

    /// Notes the balance, keeps the reading beside what the ledger has booked, and looks what it tells.
    func balance(_ reading: BalanceReading, settles: Bool) throws -> CommitResult {
        let lastAttempt = try Int64.fetchOne(db.cachedStatement(sql: "SELECT max(id) FROM attempts")) ?? 0
        try run(
            """
            UPDATE daemon SET balance_millicredits = ?, balance_at = ?, balance_asked_at = ?, balance_attempt_id = ?
            """,
            [reading.balance.millicredits, now.milliseconds, reading.askedAt.milliseconds, lastAttempt]
        )
        var row = try AccountReading(reading, answeredAt: now, lastAttempt: lastAttempt, db)
        var recorded = CommitResult()
        if let previous = try AccountReading.last(db), let first = try AccountReading.first(db) {
            row.topUps = previous.topUps
            row.slack = previous.slack
            if row.isComparable {
                let settled = try AccountReading.lastSettled(db)
                row.compare(first: first, previous: previous, settled: settled)
                if let settled, row.isSettled, settled.constant > row.constant {
                    // The account has lost what the ledger does not know of: something was charged late.
                    try run(
                        """
                        UPDATE attempts SET evidence_charged = NULL
                        WHERE finished_at IS NULL AND state = 'unknown' AND evidence_charged = 0
                        """,
                        []
                    )
                }
                if let settled { recorded.settled = try examineUnknown(from: settled, to: row, settles: settles) }
                recorded.account = AccountStanding(
                    unexplained: first.constant - row.constant,
                    uncertainty: row.open,
                    unknown: row.unknown + row.presumed - first.presumed,
                    since: first.askedAt
                )
            }
        }
        try row.insert(db)
        return recorded
    }
}
