/// What one more reading of the balance tells, beside those before it.
package struct AccountComparison: Sendable {
    /// The reading, with what it tells of top-ups.
    package private(set) var reading: AccountReading
    /// How the account stands against the ledger; nil if the reading cannot be compared.
    package private(set) var standing: AccountStanding?
    /// Whether the account has lost what the ledger does not know of since the last reading without open tasks:
    /// something was charged late, and what was said of lost requests before is void.
    package private(set) var hasLateCharge = false

    /// - Parameters:
    ///   - reading: as it was read; its top-ups and slack are not known yet.
    ///   - first: the reading that the comparison begins with.
    ///   - previous: the newest that can be compared.
    ///   - settled: the newest of those that was taken while no task was open.
    package init(
        _ reading: AccountReading,
        first: AccountReading,
        previous: AccountReading,
        settled: AccountReading?
    ) {
        self.reading = reading
        self.reading.topUps = previous.topUps
        self.reading.slack = previous.slack
        guard reading.isComparable else { return }
        noteTopUps(first: first, previous: previous, settled: settled)
        if let settled, self.reading.isSettled { hasLateCharge = settled.constant > self.reading.constant }
        standing = AccountStanding(
            unexplained: first.constant - self.reading.constant,
            uncertainty: self.reading.open,
            unknown: self.reading.unknown + self.reading.presumed - first.presumed,
            since: first.askedAt
        )
    }

    /// Tells what was added to the account since earlier readings.
    ///
    /// The balance can also seem to rise because tasks failed and were given back, or cost less than their estimate: as
    /// long as tasks are open, only what exceeds their reservations is taken for a top-up, and the next reading without
    /// open tasks puts its amount right. A lost request whose task turned up is booked late: that explains what was
    /// unexplained, and is not a top-up.
    private mutating func noteTopUps(first: AccountReading, previous: AccountReading, settled: AccountReading?) {
        if reading.isSettled, let settled {
            let risen = reading.constant - settled.constant
            let addition = risen - late(risen, since: settled, first)
            if addition > .zero || .zero - addition <= previous.slack { reading.topUps += addition }
            reading.slack = .zero
        } else {
            let risen = reading.constant - previous.constant
            let addition = risen - late(risen, since: previous, first)
            let uncertainty = previous.open + reading.open
            if addition > uncertainty {
                reading.topUps += addition
                reading.slack += uncertainty
            }
        }
    }

    /// How much of a rise is the late booking of charges that were unexplained until now.
    private func late(_ risen: Credits, since earlier: AccountReading, _ first: AccountReading) -> Credits {
        max(.zero, min(risen, first.constant - earlier.constant, reading.adopted - earlier.adopted))
    }
}
