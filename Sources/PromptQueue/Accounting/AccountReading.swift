/// The account's balance at one moment, and what the ledger had booked by then: two of them tell what the account lost and
/// the ledger does not know of.
package struct AccountReading: Sendable, Hashable {
    package var askedAt: Instant
    package var answeredAt: Instant
    package var balance: Credits
    /// For tasks that the provider has made.
    package var charged: Credits
    /// For requests that were given up without an answer: they may have been charged.
    package var presumed: Credits
    /// Reserved or presumed for requests without an answer whose task turned up later.
    package var adopted: Credits
    /// Reserved for tasks that had not ended.
    package var open: Credits
    package var openTasks: Int
    /// Reserved for requests whose answer was lost.
    package var unknown: Credits
    /// Whether nothing was between sending and answer.
    package var isComparable: Bool
    /// The last attempt that there was: the charges of later ones are not in the balance.
    package var lastAttempt: Int64
    /// What was added to the account since the first reading.
    package var topUps: Credits
    /// By how much the top-ups since the last reading without open tasks may be overstated.
    package var slack: Credits

    package init(
        askedAt: Instant,
        answeredAt: Instant,
        balance: Credits,
        charged: Credits,
        presumed: Credits,
        adopted: Credits,
        open: Credits,
        openTasks: Int,
        unknown: Credits,
        isComparable: Bool,
        lastAttempt: Int64,
        topUps: Credits = .zero,
        slack: Credits = .zero
    ) {
        self.askedAt = askedAt
        self.answeredAt = answeredAt
        self.balance = balance
        self.charged = charged
        self.presumed = presumed
        self.adopted = adopted
        self.open = open
        self.openTasks = openTasks
        self.unknown = unknown
        self.isComparable = isComparable
        self.lastAttempt = lastAttempt
        self.topUps = topUps
        self.slack = slack
    }

    /// How long readings are kept that nothing needs any more.
    package static let lifetime: Duration = .seconds(30 * 86_400)

    /// Balance and booked charges together: what one loses the other gains, so their sum stays as it is unless the
    /// account was topped up or somebody else spends from it.
    package var constant: Credits { balance + charged + open - topUps }

    /// Whether no task is open, so that what is booked is what was charged.
    package var isSettled: Bool { isComparable && openTasks == 0 }
}
