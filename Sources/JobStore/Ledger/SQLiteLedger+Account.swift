import GRDB
import PromptQueue

extension RecordWork {
    func rules(_ rules: AccountRules) throws {
        try run(
            """
            UPDATE accounts SET credit_reserve_millicredits = ?, unconfirmed_policy = ?, unconfirmed_window_ms = ?
            WHERE name = ?
            """,
            [
                rules.creditReserve.millicredits, rules.unconfirmedPolicy.rawValue,
                rules.unconfirmedWindow.milliseconds, account.rawValue,
            ]
        )
    }

    /// Notes the balance, keeps the reading beside what the ledger has booked, and looks what it tells.
    func balance(_ reading: BalanceReading, settles: Bool) throws -> CommitResult {
        let lastAttempt = try Int64.fetchOne(db.cachedStatement(sql: "SELECT max(id) FROM attempts")) ?? 0
        try run(
            """
            UPDATE accounts SET balance_millicredits = ?, balance_at = ?, balance_asked_at = ?, balance_attempt_id = ?
            WHERE name = ?
            """,
            [
                reading.balance.millicredits, now.milliseconds, reading.askedAt.milliseconds, lastAttempt,
                account.rawValue,
            ]
        )
        let row = try AccountReading(reading, of: account, answeredAt: now, lastAttempt: lastAttempt, db)
        guard let previous = try AccountReading.last(account, db),
            let first = try AccountReading.first(account, db)
        else {
            try row.insert(account, db)
            return CommitResult()
        }
        let settled = try AccountReading.lastSettled(account, db)
        let comparison = AccountComparison(row, first: first, previous: previous, settled: settled)
        var recorded = CommitResult()
        if comparison.hasLateCharge {
            try run(
                """
                UPDATE attempts SET evidence_charged = NULL
                WHERE finished_at IS NULL AND state = 'unknown' AND evidence_charged = 0 AND account = ?
                """,
                [account.rawValue]
            )
        }
        if let settled, comparison.reading.isComparable {
            recorded.settled = try examineUnknown(from: settled, to: comparison.reading, settles: settles)
        }
        recorded.account = comparison.standing
        try comparison.reading.insert(account, db)
        return recorded
    }
}
