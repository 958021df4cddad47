/// What becomes of an unconfirmed job when there is no news of it for a while.
package enum UnconfirmedPolicy: String, Sendable, CaseIterable {
    /// It waits until somebody settles it.
    case hold
    /// It is sent again when the account's balance shows no charge for the lost request: taken for granted that no request
    /// arrives later than a minute after its answer was lost.
    case evidence
    /// It is sent again, and what was reserved for the lost request counts as spent.
    case resubmit
}

/// How the account is treated: what is left in it, and what becomes of requests whose answer was lost.
package struct AccountRules: Sendable, Hashable {
    /// Nothing is claimed that would let the balance fall below this; zero leaves it to the provider to refuse.
    package var creditReserve = Credits.zero
    package var unconfirmedPolicy = UnconfirmedPolicy.hold
    /// How long news of a lost answer is waited for before `unconfirmedPolicy` acts.
    package var unconfirmedWindow: Duration = .seconds(1_800)

    package init() {}
}
