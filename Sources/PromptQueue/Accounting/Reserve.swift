/// What a claim may spend without letting the account's balance fall below `credits.reserve`.
package struct Reserve: Sendable {
    private var left: Credits?
    private var isHeld = false

    /// - Parameters:
    ///   - reserve: what has to stay in the account.
    ///   - balance: as it was last read; nil if it is not known, or the reading says nothing any more (`isCurrent`).
    ///   - committed: what the balance cannot hold: attempts under way, those answered after it was asked for, and those
    ///     whose answer was lost so shortly before that they may yet be charged.
    package init(keeping reserve: Credits, balance: Credits?, committed: Credits) {
        left = balance.map { $0 - committed - reserve }
    }

    /// Whether a balance that was asked for then still says what is left. An instant in the future is from before the clock
    /// was set back, and says nothing.
    package static func isCurrent(askedAt: Instant, now: Instant) -> Bool {
        askedAt > now - BalanceReading.lifetime && askedAt <= now + BalanceReading.settlingTime
    }

    /// Takes a job's price; or says why it has to wait. After that nothing is given any more: the order is kept, and an
    /// expensive job is not overtaken for ever by cheap ones.
    package mutating func take(_ price: Credits) -> ReserveHold? {
        guard let left else { return .balanceUnknown }
        if isHeld || left < price {
            isHeld = true
            return .short(left: left, price: price)
        }
        self.left = left - price
        return nil
    }
}
