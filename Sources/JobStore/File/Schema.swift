package import GRDB
import Migrations
import PromptQueue

/// Brings a database to the schema that this program speaks.
package enum Schema {
    /// "prpd": marks a file as promptd's (`PRAGMA application_id`).
    static let applicationID: Int32 = 1_886_548_068

    package static var version: Int { Migrations.all.count }

    /// Applies the migrations that are missing, each in a transaction of its own.
    ///
    /// - Parameter onStep: told of each step of an existing database, before it begins.
    /// - Throws: `LedgerError` with code `unusable` for a database that is not promptd's or is newer than this program.
    package static func migrate(_ db: Database, onStep: (String) -> Void = { _ in }) throws {
        let found = try check(db)
        for (index, sql) in Migrations.all.enumerated().dropFirst(found) {
            if found > 0 { onStep("\(index + 1 - found) of \(version - found)") }
            try db.inTransaction(.immediate) {
                // Somebody else may have been quicker.
                if try currentVersion(db) == index {
                    try db.execute(sql: String(decoding: sql, as: UTF8.self))
                }
                return .commit
            }
        }
    }

    /// The version of the database's schema; 0 for an empty file.
    @discardableResult
    package static func check(_ db: Database) throws -> Int {
        let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
        guard application == applicationID || (application == 0 && tables == 0) else {
            throw LedgerError(.unusable, "is not a database of promptd; choose another file")
        }
        let found = try currentVersion(db)
        guard found <= version else {
            throw LedgerError(
                .unusable,
                "has schema version \(found), newer than this program's \(version); upgrade promptd"
            )
        }
        return found
    }

    private static func currentVersion(_ db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    }
}
