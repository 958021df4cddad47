import GRDB
import PromptQueue

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
