/// A row of `accounts`, with what the ledger says of its load.
package struct AccountStatus: Sendable {
    package let name: AccountName
    /// Whether the daemon works with it, as the configuration was at its last start.
    package let isConfigured: Bool
    package let balance: Credits?
    package let balanceAt: Instant?
    /// What was reserved or charged for requests that the balance cannot hold yet.
    package let sentSince: Credits
    /// The balance less what was sent since it was read.
    package var available: Credits? { balance.map { $0 - sentSince } }
    package let rateUsed: Int
    /// `nil` before the first start of a daemon that knows it.
    package let rate: RateLimit?
    package let running: Int
    package let runningLimit: Int?
    /// `credits.reserve`, `unconfirmed.policy` and `unconfirmed.window`, as the daemon keeps them.
    package let rules: AccountRules
    /// The account's spending against the ledger's; nil before there are readings of its balance that can be compared.
    package let comparison: AccountRecord?

    package init(
        name: AccountName,
        isConfigured: Bool,
        balance: Credits?,
        balanceAt: Instant?,
        sentSince: Credits,
        rateUsed: Int,
        rate: RateLimit?,
        running: Int,
        runningLimit: Int?,
        rules: AccountRules,
        comparison: AccountRecord?
    ) {
        self.name = name
        self.isConfigured = isConfigured
        self.balance = balance
        self.balanceAt = balanceAt
        self.sentSince = sentSince
        self.rateUsed = rateUsed
        self.rate = rate
        self.running = running
        self.runningLimit = runningLimit
        self.rules = rules
        self.comparison = comparison
    }
}
