/// What becomes of jobs, in the order of the commits, as the daemon reads it and keeps it short.
package protocol EventStore: Sendable {
    /// In their order, at most as many as the query says.
    func events(_ query: EventQuery) async throws(LedgerError) -> [JobEvent]

    func eventRange() async throws(LedgerError) -> EventRange

    /// When the oldest event happened; nil if there is none.
    func oldestEvent() async throws(LedgerError) -> Instant?

    /// Removes the oldest, at most `limit`, in one short transaction: those from before an instant, and those that are more
    /// than `most`.
    ///
    /// - Returns: how many were removed.
    func removeEvents(before: Instant?, keeping most: Int64, limit: Int) async throws(LedgerError) -> Int
}
