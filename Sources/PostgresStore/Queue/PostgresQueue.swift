package import Postgres
package import PromptQueue
import Synchronization

/// The store in PostgreSQL as a command or a page uses it: one connection, beside daemons that may be at work.
///
/// All calls block the caller until the server answers. A connection that was lost is made anew for the next call, but not within a
/// transaction.
package final class PostgresQueue: Sendable {
    private let settings: PostgresSettings
    let isReadOnly: Bool
    private let known: Mutex<BlockingConnection?>
    let knownModels = Mutex(KnownModels())

    /// Connects, and looks whether there is a store of promptd's that this program knows.
    ///
    /// - Parameter isReadOnly: whether nothing is to be written, which the server then refuses.
    /// - Throws: `LedgerError`: `inputOutput` without a connection, `unusable` without such a store, `permission` where this user may not
    ///   read it.
    package init(_ settings: PostgresSettings, isReadOnly: Bool = false) throws(LedgerError) {
        var settings = settings
        // Names without a schema are promptd's; whoever writes is none of its daemons.
        settings.parameters["search_path"] = "promptd"
        settings.parameters["promptd.daemon"] = ""
        self.settings = settings
        self.isReadOnly = isReadOnly
        let first = try LedgerError.wrapping {
            let connection = try BlockingConnection(settings, isReadOnly: isReadOnly)
            do {
                try StoreSchema.check(connection)
            } catch {
                try connection.close()
                throw error
            }
            return connection
        }
        known = Mutex(first)
    }

    /// The connection, made anew if it was lost.
    var connection: BlockingConnection {
        get throws {
            try known.withLock { known in
                if let known { return known }
                let new = try BlockingConnection(settings, isReadOnly: isReadOnly)
                known = new
                return new
            }
        }
    }

    /// Reads, all of one instant; within `writing`, what that one sees.
    func reading<T>(_ body: (BlockingConnection) throws -> T) throws(LedgerError) -> T {
        var options = TransactionOptions()
        options.isolation = .repeatableRead
        options.isReadOnly = true
        return try using { connection in
            if connection.isInTransaction { return try body(connection) }
            return try connection.transaction(options) { try body(connection) }
        }
    }

    /// One statement that reads.
    func read(_ sql: SQL, _ parameters: [PostgresValue] = []) throws(LedgerError) -> PostgresRows {
        try using { try $0.query(sql, parameters) }
    }

    /// Writes in one transaction, or in a part of the one that is under way, which is undone alone if `body` throws.
    ///
    /// - Parameter dryRun: whether all that `body` did is undone: what it found out is what it would have done.
    func writing<T>(
        dryRun: Bool = false,
        _ options: TransactionOptions = TransactionOptions(),
        _ body: (BlockingConnection) throws -> T
    ) throws(LedgerError) -> T {
        try using { connection in
            try connection.transaction(options, keeps: !dryRun) { try body(connection) }
        }
    }

    /// Runs `body` with the connection, and forgets that one if it is lost.
    func using<T>(_ body: (BlockingConnection) throws -> T) throws(LedgerError) -> T {
        try LedgerError.wrapping {
            let connection = try self.connection
            do {
                return try body(connection)
            } catch {
                try forgetIfLost(connection)
                throw error
            }
        }
    }

    /// Whatever the error was: after one of another kind the connection may be lost as well. Within a transaction it stays, so that what
    /// comes next is not done beside it.
    private func forgetIfLost(_ connection: BlockingConnection) throws {
        guard !connection.isInTransaction, try connection.lossReason() != nil else { return }
        known.withLock { if $0 === connection { $0 = nil } }
    }

    /// Ends the connection. Another call makes one anew.
    package func close() throws(LedgerError) {
        try LedgerError.wrapping {
            let connection = known.withLock { known in
                defer { known = nil }
                return known
            }
            try connection?.close()
        }
    }
}
