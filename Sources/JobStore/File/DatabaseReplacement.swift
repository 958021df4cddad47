import FoundationEssentials
import GRDB
import Glibc
package import PromptQueue
import SystemPackage

/// Puts a backup in a database's place.
package struct DatabaseReplacement {
    /// What belongs to a database, beside it: of another database's content, each of them.
    private static let companions = ["", "-wal", "-shm", "-journal", "-outcomes", "-steps"]

    private let path: String

    package init(path: String) throws(LedgerError) {
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
            }
            let aside = exists ? try moveAside(at: now) : nil
            guard unsafe rename(partial, path) == 0 else {
                throw LedgerError(.inputOutput, "\(path): cannot be made: \(Errno(rawValue: errno))")
            }
            try sync(String(path[...(path.lastIndex(of: "/") ?? path.startIndex)]))
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
                    let damages = try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
                    guard damages.isEmpty else {
                        throw LedgerError(.unusable, "is damaged: \(damages.prefix(3).joined(separator: "; "))")
                    }
                    // Of a schema that knows it; of an older one the marks outside tell.
                    if try db.columns(in: "daemon").contains(where: { $0.name == "is_copy" }) {
                        try db.execute(sql: "UPDATE daemon SET is_copy = 1")
                    }
                }
                try copy.close()
            }
        } catch {
            throw LedgerError(error.code, "\(backup): \(error.message)")
        }
        try sync(partial)
    }

    private func moveAside(at now: Instant) throws(LedgerError) -> String {
        let aside = "\(path).replaced-\(now.milliseconds)"
        for companion in Self.companions {
            guard unsafe rename(path + companion, aside + companion) == 0 || (!companion.isEmpty && errno == ENOENT)
            else {
                throw LedgerError(.inputOutput, "\(path)\(companion): cannot be moved: \(Errno(rawValue: errno))")
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
