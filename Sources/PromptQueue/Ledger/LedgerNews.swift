/// What a store that several daemons share tells each of them.
package enum LedgerNews: Sendable {
    /// Somebody else has committed, or may have.
    case changed
    /// A callback that came to another daemon says that there is news of a task that this one asks about.
    case hinted(HintTarget)
    /// So many daemons share the store now.
    case members(Int)
}

/// Why a daemon can go on no longer with a ledger.
package enum LedgerLoss: Sendable, Hashable {
    /// Nobody would find what is recorded from now on: what has become of the store's files.
    case files(String)
    /// The daemon could not say for too long that it is alive, and others may have taken over what it had under way.
    case fenced
}

// Of a store that one daemon alone works on.
extension LedgerUpkeep {
    package var memberNumber: Int64? { nil }
    package func news() -> AsyncStream<LedgerNews>? { nil }
}
