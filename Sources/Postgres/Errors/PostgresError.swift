/// What went wrong between this program and the server.
package struct PostgresError: Error, Sendable, CustomStringConvertible {
    /// The kind of trouble: a closed set, to match on.
    package enum Code: String, Sendable, CaseIterable {
        /// The settings cannot be used as they are.
        case settings
        /// There is no connection, and none could be made.
        case cannotConnect = "cannot_connect"
        /// A pooler stands between this program and the server, and lends it another session for each transaction.
        case pooler
        /// The connection broke. What ran outside a transaction may have been carried out; an open transaction was rolled back.
        case connectionLost = "connection_lost"
        /// The server refused a statement: `server` says why.
        case refused
        /// It is not known, or not for certain, that a transaction is committed: `outcome` says what is.
        case commit
        /// A value that PostgreSQL's text cannot hold; nothing was sent.
        case unsendable
        /// A result is not what was asked for: NULL, another type, no such column or row.
        case mismatch
        /// A connection was used as it must not be.
        case misuse
    }

    package let code: Code
    /// Without parameters, passwords and contents of rows.
    package let message: String
    /// What the server said; nil if it said nothing.
    package var server: ServerMessage?
    /// What became of a transaction whose COMMIT was sent; nil in all other cases.
    package var outcome: CommitOutcome?
    /// Whether the same may succeed a little later: a deadlock, a lock that was held, a server that starts.
    package var isTransient: Bool

    package init(
        _ code: Code,
        _ message: String,
        server: ServerMessage? = nil,
        outcome: CommitOutcome? = nil,
        isTransient: Bool = false
    ) {
        self.code = code
        self.message = message
        self.server = server
        self.outcome = outcome
        self.isTransient = isTransient
    }

    /// The server's five characters (PostgreSQL, appendix A).
    package var sqlState: SQLState? { server?.state }

    /// Whether the connection is of no use any more.
    package var isConnectionLost: Bool {
        code == .connectionLost || code == .cannotConnect || (server?.state.endsConnection ?? false)
    }

    package var description: String { message }
}

extension PostgresError {
    init(server: ServerMessage) {
        self.init(
            .refused,
            "PostgreSQL: \(server.shown) (\(server.state))",
            server: server,
            isTransient: server.state.isTransient
        )
    }

    static func lost(_ reason: String) -> PostgresError {
        PostgresError(.connectionLost, "the connection to PostgreSQL is lost: \(reason)", isTransient: true)
    }
}
