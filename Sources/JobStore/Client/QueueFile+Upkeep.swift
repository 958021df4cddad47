import GRDB
import Glibc
package import PromptQueue
import StateFiles

extension QueueFile {
    /// - Parameter full: whether the whole file is read for damages, which takes long if it is large.
    package func health(full: Bool) throws(LedgerError) -> FileHealth {
        try read { db in
            FileHealth(
                engine: .sqlite(
                    version: try String.fetchOne(db, sql: "SELECT sqlite_version()") ?? "",
                    journalMode: try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? ""
                ),
                schemaVersion: try Schema.check(db),
                latest:
                    try Int64
                    .fetchOne(
                        db,
                        sql: """
                            SELECT max(coalesce((SELECT heartbeat_at FROM daemon), 0),
                                coalesce((SELECT created_at FROM jobs ORDER BY id DESC LIMIT 1), 0),
                                coalesce((SELECT sent_at FROM attempts ORDER BY id DESC LIMIT 1), 0))
                            """
                    )
                    .flatMap { $0 > 0 ? Instant(milliseconds: $0) : nil },
                heartbeat: try Int64.fetchOne(db, sql: "SELECT heartbeat_at FROM daemon")
                    .map(Instant.init(milliseconds:)),
                damages: full
                    ? try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" } : nil,
                refusal: try MoveMarks.refusal(db)
            )
        }
    }

    /// Writes a compact copy, of one instant, into a new file, and checks it; the queue is read meanwhile, not locked.
    /// Whoever may read the database may read the copy, and nobody else.
    package func copy(to path: String) throws(LedgerError) {
        try DatabasePath.make(path)
        try LedgerError.wrapping {
            try queue.inDatabase { db in try db.execute(sql: "VACUUM INTO ?", arguments: [path]) }
        }
        try LedgerError.wrapping {
            let copy = try DatabaseQueue(path: path)
            // promptd must know when it is started on it.
            try copy.inDatabase { db in try db.execute(sql: "UPDATE daemon SET is_copy = 1") }
            let damages = try copy.inDatabase { db in
                try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
            }
            try copy.close()
            guard damages.isEmpty else {
                throw LedgerError(.unusable, "the copy is damaged: \(damages.prefix(3).joined(separator: "; "))")
            }
        }
        var status = stat()
        guard unsafe stat(self.path, &status) == 0 else { return }
        // Only root and members of the group can give it to the group; without that the group is left out.
        let isGroups = unsafe chown(path, uid_t.max, status.st_gid) == 0
        unsafe chmod(path, status.st_mode & (isGroups ? 0o660 : 0o600))
    }
}
