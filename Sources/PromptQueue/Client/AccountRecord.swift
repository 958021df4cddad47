/// A row of `account_status`: the account's spending against the ledger's.
package struct AccountRecord: Sendable {
    package let account: AccountName
    package let since: String
    package let comparedAt: String
    package let ledgerSpend: Credits
    package let accountSpend: Credits
    package let topUps: Credits
    /// What the account lost and the ledger does not know of; negative if it lost less than was booked.
    package let unexplained: Credits
    /// Reserved for tasks that have not ended: by so much `unexplained` may be wrong.
    package let estimated: Credits
    package let reservedForUnknown: Credits
    /// Booked for requests that were given up without an answer.
    package let givenUp: Credits

    package init(
        account: AccountName = .standard,
        since: String,
        comparedAt: String,
        ledgerSpend: Credits,
        accountSpend: Credits,
        topUps: Credits,
        unexplained: Credits,
        estimated: Credits,
        reservedForUnknown: Credits,
        givenUp: Credits
    ) {
        self.account = account
        self.since = since
        self.comparedAt = comparedAt
        self.ledgerSpend = ledgerSpend
        self.accountSpend = accountSpend
        self.topUps = topUps
        self.unexplained = unexplained
        self.estimated = estimated
        self.reservedForUnknown = reservedForUnknown
        self.givenUp = givenUp
    }
}
