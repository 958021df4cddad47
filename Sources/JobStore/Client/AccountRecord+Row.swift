import GRDB
package import PromptQueue

extension AccountRecord {
    init(_ row: Row) {
        func credits(_ column: String) -> Credits { Credits(row[column] as Double) ?? .zero }
        self.init(
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

    /// Nil before there is a reading that can be compared.
    static func read(_ db: Database) throws -> AccountRecord? {
        try Row.fetchOne(db, sql: "SELECT * FROM account_status").map(AccountRecord.init)
    }
}

extension QueueFile {
    package func account() throws(LedgerError) -> AccountRecord? { try read { try AccountRecord.read($0) } }
}

extension AccountRules {
    /// From the row of `daemon`; the defaults where no daemon has noted its rules yet.
    init(daemon row: Row) {
        self.init()
        if let reserve = row.credits("credit_reserve_millicredits") { creditReserve = reserve }
        let policy: String? = row["unconfirmed_policy"]
        if let policy = policy.flatMap(UnconfirmedPolicy.init(rawValue:)) { unconfirmedPolicy = policy }
        let window: Int64? = row["unconfirmed_window_ms"]
        if let window { unconfirmedWindow = .milliseconds(window) }
    }
}
