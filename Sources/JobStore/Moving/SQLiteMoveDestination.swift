import CSQLiteSettings
import Foundation
import GRDB
import Glibc
package import PromptQueue
import Synchronization
import SystemPackage

/// A SQLite file that a queue comes to. It is made under another name, and gets its own when it is whole: whoever opens that name finds
/// nothing, or all.
package final class SQLiteMoveDestination: MoveDestination {
    package let place: String
    private let partial: String
    private let connection = Mutex<DatabaseQueue?>(nil)

    /// - Throws: `LedgerError` when nothing can be made there.
    package init(path: String) throws(LedgerError) {
        try LedgerFile.checkDirectory(of: path)
        place = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        partial = place + ".moving"
    }

    /// The file as far as it has come. Its triggers are silent here: what they work out is carried.
    private func queue() throws -> DatabaseQueue {
        try connection.withLock { connection in
            if let connection { return connection }
            var configuration = LedgerFile.configuration()
            configuration.prepareDatabase { db in
                guard let handle = unsafe db.sqliteConnection, unsafe sqlite_without_triggers(handle) == 0 else {
                    throw LedgerError(.other, "SQLite's triggers cannot be turned off")
                }
            }
            let queue = try DatabaseQueue(path: partial, configuration: configuration)
            connection = queue
            return queue
        }
    }

    private func inDatabase<T>(_ body: (Database) throws -> T) throws(LedgerError) -> T {
        try LedgerError.wrapping { try queue().inDatabase(body) }
    }

    private func write(_ body: (Database) throws -> Void) throws(LedgerError) {
        try LedgerError.wrapping { try queue().write(body) }
    }

    private func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    package func state(of move: MoveRecord) async throws -> MoveRecord.State? {
        if isThere(place) {
            let file = try LedgerFile.openReader(at: place)
            let found = try LedgerError.wrapping {
                try file.inDatabase { try MoveMarks(db: $0).record(.destination, id: move.id) }
            }
            try LedgerError.wrapping { try file.close() }
            return found?.state
        }
        guard isThere(partial) else { return nil }
        return try inDatabase { try MoveMarks(db: $0).record(.destination, id: move.id) }?.state
    }

    package func begin(_ move: MoveRecord) async throws -> [String: MovedPart] {
        for name in [place, place + "-wal"] where isThere(name) {
            throw LedgerError(.unusable, "\(name): is there already; name a new file, or move that one away")
        }
        if isThere(partial) {
            let known = try inDatabase { try MoveMarks(db: $0).record(.destination) }
            if known?.id == move.id, let parts = try parts() { return parts }
            guard known == nil || known?.databaseID == move.databaseID, known?.state != .moved else {
                throw LedgerError(.unusable, "\(partial): is of another move; move it away")
            }
            try close()
            for suffix in ["", "-wal", "-shm"] { unsafe unlink(partial + suffix) }
        }
        try LedgerFile.openQueue(at: partial, create: true).close()
        var status = stat()
        // Not root's: promptd's user has to write it.
        if geteuid() == 0, unsafe stat(FilePathParts.split(place).directory, &status) == 0 {
            _ = unsafe chown(partial, status.st_uid, status.st_gid)
        }
        try write { try MoveMarks(db: $0).close(move, .destination) }
        return [:]
    }

    private func parts() throws -> [String: MovedPart]? {
        try inDatabase { db in
            let rows = try Row.fetchAll(db, sql: "SELECT name, row_count, sha256 FROM moved_tables")
            return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], MovedPart(count: $0[1], digest: $0[2])) })
        }
    }

    package func take(
        _ table: MovedTable,
        _ move: MoveRecord,
        _ body: ((MovedRows) async throws -> Void) async throws -> MovedPart
    ) async throws {
        let form = TableForm(table)
        try write { try $0.execute(sql: form.emptying) }
        let part = try await body { rows in
            try self.write { db in
                let statement = try db.cachedStatement(sql: form.writing)
                try MovedLine.values(in: rows.bytes) { values in
                    let cells = values.map { $0.map { String(decoding: $0, as: UTF8.self) } }
                    try statement.execute(arguments: StatementArguments(cells))
                }
            }
        }
        try write { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO moved_tables (name, row_count, sha256) VALUES (?, ?, ?)",
                arguments: [table.name, part.count, part.digest]
            )
        }
        // The log would grow as large as the database.
        _ = try inDatabase { try $0.checkpoint(.truncate) }
    }

    package func complete() async throws {
        try write { db in
            try db.execute(
                sql: """
                    DELETE FROM queue_counts;
                    INSERT INTO queue_counts (queue, state, jobs) SELECT queue, state, count(*) FROM jobs GROUP BY queue, state;
                    DELETE FROM job_keys;
                    INSERT INTO job_keys (unique_key, job_id) SELECT unique_key, id FROM jobs WHERE unique_key IS NOT NULL;
                    UPDATE turns SET waiting = 0, turn = taken;
                    INSERT INTO turns (queue, priority, batch, turn, waiting)
                    SELECT queue, priority, coalesce(batch, ''), max(turn), count(*) FROM jobs
                    WHERE state = 'queued' AND turn IS NOT NULL GROUP BY 1, 2, 3
                    ON CONFLICT (queue, priority, batch) DO UPDATE SET turn = max(turn, excluded.turn), waiting = excluded.waiting;
                    """
            )
        }
    }

    package func forget(_ move: MoveRecord) async throws {
        try write { try $0.execute(sql: "DELETE FROM moved_tables") }
    }

    package func open(_ move: MoveRecord) async throws {
        guard !isThere(place) else { return }
        try write { db in
            try db.execute(
                sql: """
                    UPDATE accounts SET shut_until = max(coalesce(shut_until, 0),
                        CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) + rate_window_ms)
                    WHERE rate_window_ms IS NOT NULL
                    """
            )
            try MoveMarks(db: db).open(move)
        }
        _ = try inDatabase { try $0.checkpoint(.truncate) }
        try close()
        try sync(partial)
        guard unsafe rename(partial, place) == 0 else {
            throw LedgerError(.inputOutput, "\(place): cannot be made: \(Errno(rawValue: errno))")
        }
        try sync(FilePathParts.split(place).directory)
    }

    private func sync(_ path: String) throws(LedgerError) {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw LedgerError(.inputOutput, "\(path): cannot be opened: \(Errno(rawValue: errno))")
        }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw LedgerError(.inputOutput, "\(path): cannot be synced: \(Errno(rawValue: errno))")
        }
    }

    private func close() throws(LedgerError) {
        try LedgerError.wrapping {
            try connection.withLock { connection in
                try connection?.close()
                connection = nil
            }
        }
    }

    package func read(_ table: MovedTable, _ body: (MovedRows) async throws -> Void) async throws {
        var reader = TableReader(table)
        while let rows = try inDatabase({ try reader.next($0) }) { try await body(rows) }
    }

    package func sums() async throws -> MoveSums { try inDatabase { try MoveSums($0) } }

    package func disconnect() async {
        // Whatever is in the way, the process ends next.
        try? close()
    }
}
