/// What became of a transaction whose COMMIT was sent.
package enum CommitOutcome: Sendable, Hashable {
    /// It is committed, and as durable as `synchronous_commit` asks.
    case committed
    /// It is committed on this server, but a standby that had to confirm it did not: the wait was cancelled, or the server ended
    /// meanwhile. A failover may forget it.
    case committedLocally
    /// Nothing of it was kept.
    case rolledBack
    /// It could not be found out.
    case unknown(reason: String)

    /// Whether its rows can be seen on the server that was asked.
    package var isCommitted: Bool { self == .committed || self == .committedLocally }
}
