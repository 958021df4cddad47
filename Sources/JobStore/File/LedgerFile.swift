import CSQLiteSettings
import Dispatch
import FoundationEssentials
package import GRDB
import Glibc
package import PromptQueue
import StateFiles
import SystemPackage

/// How connections to the database file are opened, by the daemon and by the command line alike.
package enum LedgerFile {
    /// Opens a connection pool for the daemon and brings the schema up to date.
    package static func openPool(
        at path: String,
        onMigration: (String) -> Void = { _ in }
    ) throws(LedgerError) -> DatabasePool {
        try LedgerError.wrapping {
            try checkDirectory(of: path)
            try checkLog(of: path)
            if !FileManager.default.fileExists(atPath: path) { try DatabasePath.make(path) }
            try checkUntouched(path)
            let pool = try DatabasePool(path: path, configuration: configuration())
            try pool.writeWithoutTransaction { db in
                // DatabasePool sets synchronous=NORMAL when it switches to WAL; a commit must be on disk before a
                // request leaves.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                try Schema.migrate(
                    db,
                    keepCopy: { db, version in try keepCopy(db, of: version, beside: path, onMigration) },
                    onStep: onMigration
                )
                // A statement that a trigger may refuse keeps copies of the pages that it changes until it has ended. In
                // a temporary file that was half of all that writing cost. After the migration, which may sort much.
                try db.execute(sql: "PRAGMA temp_store = MEMORY")
            }
            return pool
        }
    }

    /// SQLite deletes a log beside an empty database: what is committed in it would be lost.
    private static func checkLog(of path: String) throws(LedgerError) {
        func size(_ path: String) -> Int64 {
            var status = stat()
            return unsafe stat(path, &status) == 0 ? Int64(status.st_size) : 0
        }
        guard size(path) == 0, size(path + "-wal") > 0 else { return }
        throw LedgerError(
            .unusable,
            "the database is missing or empty, and its write-ahead log \(path)-wal is there: put the database back that belongs "
                + "to it, or move the log away"
        )
    }

    /// Looks at an existing file without changing it: a pool would turn even a stranger's database to WAL mode.
    private static func checkUntouched(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        var configuration = configuration()
        configuration.readonly = true
        do {
            try check(path, configuration)
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK {
            // A process that died, or a power cut, left a transaction half done in -journal: in the moment in which a new
            // or restored file is turned to WAL mode, or in somebody's shell. SQLite undoes it for whoever may write.
            configuration.readonly = false
            try check(path, configuration)
        }
    }

    private static func check(_ path: String, _ configuration: Configuration) throws {
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let refusal = try queue.read { db in
            try Schema.check(db)
            return try MoveMarks.refusal(db)
        }
        try queue.close()
        if let refusal { throw LedgerError(.unusable, "\(path): \(refusal)") }
    }

    /// Opens one connection, for a command.
    ///
    /// - Parameter create: whether a missing file is made and an older schema migrated; otherwise both are errors.
    package static func openQueue(at path: String, create: Bool) throws(LedgerError) -> DatabaseQueue {
        try LedgerError.wrapping {
            let real = try DatabasePath.resolve(path)
            if create {
                try checkDirectory(of: path)
                // Nothing of this process has it open yet, so no lock is lost by closing it.
                if !FileManager.default.fileExists(atPath: real) { try DatabasePath.make(real) }
            } else if !FileManager.default.fileExists(atPath: path) {
                throw LedgerError(
                    .unusable,
                    "\(path): no such database; \(Advice.makeDatabase(path))"
                )
            }
            do {
                let queue = try DatabaseQueue(path: real, configuration: configuration())
                try queue.inDatabase { db in
                    if create {
                        let found = try Schema.check(db)
                        if (1..<Schema.version).contains(found), let holder = OwnerLock.holder(database: path) {
                            throw LedgerError(
                                .busy,
                                "a running promptd (pid \(holder)) works on it; stop that first, then migrate it"
                            )
                        }
                        try db.execute(sql: "PRAGMA journal_mode = WAL")
                        try Schema.migrate(db, keepCopy: { db, version in try keepCopy(db, of: version, beside: real) })
                    } else if try Schema.check(db) < Schema.version {
                        throw LedgerError(.unusable, "has an older schema; \(Advice.migrate)")
                    }
                    try db.execute(sql: "PRAGMA synchronous = FULL")
                }
                return queue
            } catch let error as LedgerError where !error.message.hasPrefix(path) {
                throw LedgerError(error.code, "\(path): \(error.message)")
            } catch let error as DatabaseError {
                let error = LedgerError(error)
                throw LedgerError(error.code, "\(path): \(error.message)")
            }
        }
    }

    /// Opens one connection that cannot write, beside those of the daemon.
    static func openReader(at path: String) throws(LedgerError) -> DatabaseQueue {
        try LedgerError.wrapping {
            var configuration = configuration()
            configuration.readonly = true
            return try DatabaseQueue(path: try DatabasePath.resolve(path), configuration: configuration)
        }
    }

    /// `DATABASE.schema-15`: what the database was before its schema was brought up to date.
    private static func keepCopy(
        _ db: Database,
        of version: Int,
        beside path: String,
        _ onMigration: (String) -> Void = { _ in }
    ) throws {
        let kept = "\(path).schema-\(version)"
        // One that is there is from an upgrade that was undone since, or that failed: it is replaced when the new one is whole.
        let partial = kept + ".partial"
        onMigration("keeping a copy")
        unsafe unlink(partial)
        do {
            try DatabasePath.make(partial)
            try db.execute(sql: "VACUUM INTO ?", arguments: [partial])
        } catch {
            unsafe unlink(partial)
            let reason = (error as? DatabaseError).map { LedgerError($0).message } ?? "\(error)"
            throw LedgerError(
                .unusable,
                "its schema is \(version) and has to be brought up to date, but no copy of it can be kept in \(kept): \(reason); "
                    + "make room there"
            )
        }
        var status = stat()
        if unsafe stat(path, &status) == 0 {
            unsafe chmod(partial, status.st_mode & 0o777)
            _ = unsafe chown(partial, status.st_uid, status.st_gid)
        }
        guard unsafe rename(partial, kept) == 0 else {
            throw LedgerError(.permission, "\(kept): cannot be made: \(Errno(rawValue: errno))")
        }
    }

    /// How long a connection waits for another process's lock.
    static let busyTimeout: Duration = .seconds(10)

    /// SQLite's counting of its memory, which nobody here asks for: two locks for each allocation, and triggers allocate much.
    /// Only before the first database is opened it can be turned off; later it stays as it is.
    private static let memoryStatistics = sqlite_without_memory_statistics()

    static func configuration() -> Configuration {
        _ = memoryStatistics
        var configuration = Configuration()
        // GRDB's default asks for threads of a higher priority, which a service may not have; libdispatch then
        // complains on stderr for each.
        configuration.qos = .default
        configuration.busyMode = .timeout(busyTimeout.seconds)
        configuration.prepareDatabase { db in
            db.add(function: PromptFunction.function)
            // A PASSIVE checkpoint that races another connection's commit can lose data before SQLite 3.51.3 (the
            // "WAL-reset bug", https://sqlite.org/wal.html#walresetbug): only the daemon checkpoints, in TRUNCATE mode.
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")
            // Of an empty file alone: pages that are free again can then be given back while it is in use.
            if !db.configuration.readonly, try Int.fetchOne(db, sql: "PRAGMA page_count") == 0 {
                try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            }
        }
        return configuration
    }

    package static func checkDirectory(of path: String) throws(LedgerError) {
        var isFolder = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder {
            throw LedgerError(.permission, "\(path): is a directory; name a file in it, like \(path)/promptd.sqlite")
        }
        let directory = String(
            path.prefix(upTo: path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)
        )
        let shown = directory.isEmpty ? "." : directory
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: shown, isDirectory: &isDirectory), isDirectory else {
            throw LedgerError(.permission, "\(path): the directory \(shown) does not exist; make it first")
        }
        guard unsafe access(shown, W_OK | X_OK) == 0 else {
            throw LedgerError(
                .permission,
                "\(path): the directory \(shown) is not writable for this user (SQLite makes files beside the database); "
                    + Membership(of: path).advice
            )
        }
    }
}
