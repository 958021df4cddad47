/// Where deliveries are kept until they have reached their hook.
package protocol HookStore: Sendable {
    /// The database's own name: with a delivery's number it names the delivery for ever.
    var databaseID: String { get }

    /// Makes deliveries of what has happened since the last call, in one transaction with the note of how far that was. The first
    /// call after a time without hooks begins with what happens from then on.
    func noteHooks(_ rules: [HookRule], now: Instant) async throws(LedgerError) -> HookNote

    /// There are no hooks: what happens concerns nobody.
    func forgetHooks() async throws(LedgerError)

    /// What a hook can be told now, at most `limit`: of each job only the first.
    func dueDeliveries(to hook: String, now: Instant, limit: Int) async throws(LedgerError) -> [HookDelivery]

    /// What is told, as `promptctl show --json` and `promptctl status --json` say it, as it is now.
    func subject(of delivery: HookDelivery, now: Instant) async throws(LedgerError) -> JSONObject

    /// - Parameter next: when it is tried again; nil: it is dead, if it has failed.
    func deliveryEnded(
        _ delivery: HookDeliveryID,
        _ outcome: HookOutcome,
        next: Instant?,
        now: Instant
    ) async throws(LedgerError)

    /// Removes what was delivered before one instant, and what is dead or was never delivered since before another.
    func removeDeliveries(delivered: Instant, dead: Instant, limit: Int) async throws(LedgerError) -> Int
}

/// What became of a look at what has happened.
package struct HookNote: Sendable, Hashable {
    /// How many deliveries were made.
    package var made = 0
    /// Whether there is more to look at.
    package var isFull = false
    /// Whether events were removed that nobody had looked at.
    package var hasMissed = false

    package init() {}
}
