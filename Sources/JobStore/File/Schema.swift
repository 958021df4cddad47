package import GRDB
import Migrations
import PromptQueue

/// Brings a database to the schema that this program speaks.
package enum Schema {
    /// "prpd": marks a file as promptd's (`PRAGMA application_id`).
    static let applicationID: Int32 = 1_886_548_068

    package static var version: Int { Migrations.version }

    /// Applies the migrations that are missing, all in one transaction: should one fail, the database stays as it was.
    ///
    /// - Parameters:
    ///   - migrations: see `Migrations.all`.
    ///   - keepCopy: given a database with something in it, before its first step, and its version; a step that fails then is
    ///     not the end.
    ///   - onStep: told of each step of an existing database, before it begins.
    /// - Throws: `LedgerError` with code `unusable` for a database that is not promptd's, is newer than this program, or is
    ///   from before the first release.
    package static func migrate(
        _ db: Database,
        _ migrations: [[UInt8]] = Migrations.all,
        keepCopy: (Database, Int) throws -> Void = { _, _ in },
        onStep: (String) -> Void = { _ in }
    ) throws {
        let latest = Migrations.first + migrations.count - 1
        let found = try check(db, latest: latest)
        guard found < latest else { return }
        if found > 0 { try keepCopy(db, found) }
        try db.inTransaction(.immediate) {
            for (index, sql) in migrations.enumerated() {
                let before = index == 0 ? 0 : Migrations.first + index - 1
                // Somebody else may have been quicker.
                guard try currentVersion(db) == before else { continue }
                if found > 0 { onStep("\(before + 1 - found) of \(latest - found)") }
                try db.execute(sql: String(decoding: sql, as: UTF8.self))
            }
            return .commit
        }
    }

    /// The version of the database's schema; 0 for an empty file.
    @discardableResult
    package static func check(_ db: Database, latest: Int = version) throws -> Int {
        let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
        guard application == applicationID || (application == 0 && tables == 0) else {
            throw LedgerError(.unusable, "is not a database of promptd; choose another file")
        }
        let found = try currentVersion(db)
        guard found <= latest else {
            throw LedgerError(
                .unusable,
                "has schema version \(found), newer than this program's \(latest); upgrade promptd"
            )
        }
        guard found == 0 || found >= Migrations.first else {
            throw LedgerError(
                .unusable,
                "has schema version \(found), from before the first release, which cannot be upgraded: let the promptd that "
                    + "made it finish its jobs, and start with a new database"
            )
        }
        return found
    }

    private static func currentVersion(_ db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    }
}
