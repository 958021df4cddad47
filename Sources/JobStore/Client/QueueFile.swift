import GRDB
import Glibc
package import PromptQueue
import StateFiles
import Synchronization

/// The database as a command uses it: one connection, opened for a short while, beside a daemon that may be at work.
///
/// All calls block the caller until SQLite answers.
package final class QueueFile: QueueClient {
    package let path: String
    let queue: DatabaseQueue
    let knownModels = Mutex(KnownModels())
    let search: SearchReader
    /// Whether `transaction` runs; its body alone uses this file meanwhile.
    private let isInTransaction = Mutex(false)

    /// - Parameter create: whether a missing file is made and an older schema migrated; otherwise both are errors.
    package init(path: String, create: Bool = false) throws(LedgerError) {
        self.path = path
        // Readers, too, write beside the database.
        if unsafe access(path, R_OK | W_OK) != 0, errno == EACCES {
            throw LedgerError(
                .permission,
                "\(path): this user may not read and write it; \(Membership(of: path).advice)"
            )
        }
        queue = try LedgerFile.openQueue(at: path, create: create)
        search = SearchReader(database: try DatabasePath.resolve(path))
    }

    /// A connection that cannot write, for the daemon's own pages.
    package init(readingAt path: String) throws(LedgerError) {
        self.path = path
        queue = try LedgerFile.openReader(at: path)
        search = SearchReader(database: try DatabasePath.resolve(path))
    }

    /// Closes the connection; the last one to close copies the log into the database.
    package func close() throws(LedgerError) {
        search.close()
        try LedgerError.wrapping { try queue.close() }
    }

    package var daemonProcessID: Int32? { OwnerLock.holder(database: path) }

    package func dataVersion() throws(LedgerError) -> Int64 {
        try LedgerError.wrapping {
            try queue.inDatabase { db in
                try Int64.fetchOne(db.cachedStatement(sql: "PRAGMA data_version")) ?? 0
            }
        }
    }

    package func transaction<T>(dryRun: Bool, _ body: () throws -> T) throws -> T {
        do {
            return try queue.writeWithoutTransaction { db in
                try db.beginTransaction(.immediate)
                isInTransaction.withLock { $0 = true }
                defer { isInTransaction.withLock { $0 = false } }
                do {
                    let value = try body()
                    if dryRun { try db.rollback() } else { try db.commit() }
                    return value
                } catch {
                    // Should undoing fail, the connection is closed soon, and that undoes it.
                    try? db.rollback()
                    throw error
                }
            }
        } catch let error as DatabaseError {
            throw LedgerError(error)
        }
    }

    func read<T>(_ body: (Database) throws -> T) throws(LedgerError) -> T {
        try LedgerError.wrapping {
            guard isInTransaction.withLock(\.self) else { return try queue.read(body) }
            return try queue.unsafeReentrantWrite(body)
        }
    }

    func write<T>(_ body: (Database) throws -> T) throws(LedgerError) -> T { try write(dryRun: false, body) }

    /// - Parameter dryRun: whether all that `body` did is undone: what it found out is what it would have done.
    func write<T>(dryRun: Bool, _ body: (Database) throws -> T) throws(LedgerError) -> T {
        try LedgerError.wrapping {
            if isInTransaction.withLock(\.self) { return try part(dryRun: dryRun, body) }
            guard dryRun else { return try queue.write(body) }
            return try queue.writeWithoutTransaction { db in
                try db.beginTransaction(.immediate)
                // Should undoing fail, the connection is closed soon, and that undoes it.
                defer { try? db.rollback() }
                return try body(db)
            }
        }
    }

    /// Within `transaction`: what `body` did is undone alone if it throws.
    private func part<T>(dryRun: Bool, _ body: (Database) throws -> T) throws -> T {
        try queue.unsafeReentrantWrite { db in
            var value: T?
            try db.inSavepoint {
                value = try body(db)
                return dryRun ? .rollback : .commit
            }
            guard let value else { throw LedgerError(.cancelled, "the transaction did not run") }
            return value
        }
    }
}

extension Row {
    func instant(_ column: String) -> Instant? {
        let milliseconds: Int64? = self[column]
        return milliseconds.map(Instant.init(milliseconds:))
    }

    func credits(_ column: String) -> Credits? {
        let millicredits: Int64? = self[column]
        return millicredits.map(Credits.init(millicredits:))
    }
}
