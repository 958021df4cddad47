/// Where the daemon leaves the prices of its configuration, for the claim and for programs that do not read it, and
/// finds what tasks were charged.
package protocol PriceStore: Sendable {
    /// Replaces the configuration's prices and the default. Those of the operator stay.
    func setPrices(_ prices: [PriceOverride], defaultPrice: Credits) async throws(LedgerError)

    /// What the latest tasks of each model were charged, the newest first, at most `ObservedPrice.sampleSize`.
    func charges() async throws(LedgerError) -> [String: [ObservedCharge]]
}
