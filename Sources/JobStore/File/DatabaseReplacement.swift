import FoundationEssentials
import GRDB
import Glibc
package import PromptQueue
import StateFiles
import SystemPackage

/// Puts a backup in a database's place.
package struct DatabaseReplacement {
    private let path: String

    package init(path: String) throws(LedgerError) {
        UnfinishedReplacement.undo(path)
        self.path = try DatabasePath.resolve(path)
    }

    /// - Returns: where the database that was there is now; nil if there was none.
    /// - Throws: `LedgerHeld` while a daemon works on it; `LedgerError` when the backup is damaged or not promptd's. Then all is
    ///   as it was.
    package func replace(with backup: String, at now: Instant) throws -> String? {
        try LedgerFile.checkDirectory(of: path)
        guard FileManager.default.fileExists(atPath: backup) else {
            throw LedgerError(.unusable, "\(backup): no such file")
        }
        var status = stat()
        let exists = unsafe stat(path, &status) == 0
        // Held to the end, so that no daemon starts in between.
        let lock = exists ? try OwnerLock(database: path) : nil
        defer { withExtendedLifetime(lock) {} }
        let partial = path + ".restoring"
        do {
            try copy(backup, to: partial)
            if exists {
                unsafe chmod(partial, status.st_mode & 0o777)
                _ = unsafe chown(partial, status.st_uid, status.st_gid)
            } else if geteuid() == 0, unsafe stat(FilePathParts.split(path).directory, &status) == 0 {
                // Not root's: promptd's user has to write it.
                _ = unsafe chown(partial, status.st_uid, status.st_gid)
            }
            let aside = exists ? try moveAside(at: now) : nil
            // The name is never without a database: a kill leaves the old one, or the new one.
            guard unsafe rename(partial, path) == 0 else {
                throw LedgerError(.inputOutput, "\(path): cannot be made: \(Errno(rawValue: errno))")
            }
            try sync(FilePathParts.split(path).directory)
            return aside
        } catch {
            unsafe unlink(partial)
            throw error
        }
    }

    /// By SQLite: a backup that has a log of its own comes over with it.
    private func copy(_ backup: String, to partial: String) throws {
        unsafe unlink(partial)
        do {
            try LedgerError.wrapping {
                try DatabasePath.make(partial)
                var configuration = LedgerFile.configuration()
                configuration.readonly = true
                let source = try DatabaseQueue(path: backup, configuration: configuration)
                try source.inDatabase { db in
                    guard try Schema.check(db) > 0 else { throw LedgerError(.unusable, "is an empty database") }
                    try db.execute(sql: "VACUUM INTO ?", arguments: [partial])
                }
                try source.close()
                let copy = try DatabaseQueue(path: partial)
                try copy.inDatabase { db in
                    // Of an older schema, which does not know that there are copies.
                    try Schema.migrate(db)
                    let damages = try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
                    guard damages.isEmpty else {
                        throw LedgerError(.unusable, "is damaged: \(damages.prefix(3).joined(separator: "; "))")
                    }
                    let id = try String.fetchOne(db, sql: "SELECT database_id FROM daemon") ?? ""
                    try db.inTransaction(.immediate) {
                        try RestoredCopies(db: db).mark(noted: try? RequestMarks.read(path + "-requests", id))
                        return .commit
                    }
                }
                try copy.close()
            }
        } catch {
            throw LedgerError(error.code, "\(backup): \(error.message)")
        }
        try sync(partial)
    }

    /// Gives the database that is there a second name, and what belongs to it a new one.
    private func moveAside(at now: Instant) throws(LedgerError) -> String {
        // What is committed in its log goes into it. One that cannot be opened stays as it is, with its log beside it.
        try? LedgerError.wrapping {
            let old = try DatabaseQueue(path: path, configuration: LedgerFile.configuration())
            _ = try old.inDatabase { try $0.checkpoint(.truncate) }
            try old.close()
        }
        let aside = "\(path).replaced-\(now.milliseconds)"
        guard unsafe link(path, aside) == 0 else {
            throw LedgerError(.inputOutput, "\(aside): cannot be made: \(Errno(rawValue: errno))")
        }
        var moved: [String] = []
        for companion in UnfinishedReplacement.companions {
            if unsafe rename(path + companion, aside + companion) == 0 {
                moved.append(companion)
            } else if errno != ENOENT {
                let code = errno
                for companion in moved { _ = unsafe rename(aside + companion, path + companion) }
                unsafe unlink(aside)
                throw LedgerError(.inputOutput, "\(path)\(companion): cannot be moved: \(Errno(rawValue: code))")
            }
        }
        return aside
    }

    private func sync(_ path: String) throws(LedgerError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw LedgerError(.inputOutput, "\(path): cannot be opened: \(Errno(rawValue: errno))")
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw LedgerError(.inputOutput, "\(path): cannot be synced: \(Errno(rawValue: errno))")
        }
    }
}
