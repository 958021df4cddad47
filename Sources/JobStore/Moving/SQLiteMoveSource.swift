import Foundation
import GRDB
import Glibc
package import PromptQueue
import StateFiles

/// A queue in a SQLite file that is to leave it.
package final class SQLiteMoveSource: MoveSource {
    package let place: String
    private let queue: DatabaseQueue
    /// Kept to the end, so that no daemon starts meanwhile; before SQLite has the file open, and until it has closed it.
    private let lock: OwnerLock
    private let marks: [String]

    /// - Parameter media: the media directory, in which the number of the last request is noted, too.
    /// - Throws: `LedgerHeld` while a daemon works on it; `LedgerError` when it cannot be opened, or has an older schema.
    package init(path: String, media: String) throws {
        guard FileManager.default.fileExists(atPath: path) else {
            throw LedgerError(.unusable, "\(path): no such database")
        }
        lock = try OwnerLock(database: path)
        place = try DatabasePath.resolve(path)
        marks = [place + "-requests", media + "/.promptd-requests"]
        queue = try LedgerFile.openQueue(at: path, create: false)
    }

    private func inDatabase<T>(_ body: (Database) throws -> T) throws(LedgerError) -> T {
        try LedgerError.wrapping { try queue.inDatabase(body) }
    }

    private func write<T>(_ body: (Database) throws -> T) throws(LedgerError) -> T {
        try LedgerError.wrapping {
            try queue.writeWithoutTransaction { db in
                var value: T?
                try db.inTransaction(.immediate) {
                    value = try body(db)
                    return .commit
                }
                guard let value else { throw LedgerError(.other, "the transaction did not run") }
                return value
            }
        }
    }

    package func record() async throws -> MoveRecord? { try inDatabase { try MoveMarks(db: $0).record(.source) } }

    package func check() async throws -> [String] {
        try OutcomeFile(database: place).checkIsEmpty()
        try checkAge()
        let steps = try StepMarks(database: place)
        guard let left = steps.leftovers, !left.steps.isEmpty else { return [] }
        return ["what promptd was doing when it died (\(steps.path)) stays behind"]
    }

    /// An older copy that nobody has noticed would be another place's truth.
    private func checkAge() throws(LedgerError) {
        let (id, branch, last) = try inDatabase { db in
            let row = try Row.fetchOne(db, sql: "SELECT database_id, branch FROM daemon")
            return (
                row?["database_id"] as String?, row?["branch"] as String?,
                try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'attempts'") ?? 0
            )
        }
        for mark in RequestMarks(marks, databaseID: id ?? "").found where mark.attempt > last || mark.branch != branch {
            throw LedgerError(
                .unusable,
                "\(place) is an older copy: requests were sent that it does not know of. Start promptd on it once, "
                    + Advice.lookAtRestored.description
            )
        }
    }

    package func close(for destination: String) async throws -> MoveRecord {
        try write { db in
            if let known = try MoveMarks(db: db).record(.source) { return known }
            let row = try Row.fetchOne(db, sql: "SELECT lower(hex(randomblob(16))) AS id, database_id FROM daemon")
            guard let row, let databaseID = row["database_id"] as String? else {
                throw LedgerError(.unusable, "\(place): has no id of its own")
            }
            let record = MoveRecord(
                id: row["id"],
                state: .moving,
                source: place,
                destination: destination,
                databaseID: databaseID
            )
            try MoveMarks(db: db).close(record, .source)
            return record
        }
    }

    package func reopen() async throws {
        try write { db in
            guard let record = try MoveMarks(db: db).record(.source) else { return }
            guard record.state == .moving else { throw LedgerError(.unusable, record.refusalOfSource) }
            try MoveMarks(db: db).takeBack(record)
        }
    }

    package func finish() async throws {
        try write { db in
            guard let record = try MoveMarks(db: db).record(.source) else { return }
            let moved = MoveRecord(
                id: record.id,
                state: .moved,
                source: record.source,
                destination: record.destination,
                databaseID: record.databaseID
            )
            try MoveMarks(db: db).close(moved, .source)
        }
    }

    package func read(_ table: MovedTable, _ body: (MovedRows) async throws -> Void) async throws {
        var reader = TableReader(table)
        while let rows = try inDatabase({ try reader.next($0) }) {
            try await body(MovedLine.repaired(rows.bytes, of: table) ?? rows)
        }
    }

    package func sums() async throws -> MoveSums { try inDatabase { try MoveSums($0) } }

    package func disconnect() async {
        // Whatever is in the way, the process ends next.
        try? queue.close()
    }
}
