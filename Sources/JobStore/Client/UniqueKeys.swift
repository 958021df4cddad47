import GRDB
package import PromptQueue

/// Finds unique keys that are taken, in the database or by an earlier line of the same file, without holding them all in
/// memory: the lines' own keys are kept in a temporary table, which SQLite puts on disk when it grows.
struct UniqueKeys: KeyChecker {
    private let db: Database

    init(_ db: Database) throws {
        self.db = db
        try db.execute(
            sql: """
                CREATE TEMP TABLE IF NOT EXISTS import_keys (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID;
                DELETE FROM temp.import_keys;
                """
        )
    }

    func claim(_ key: String, line: Int) throws(LedgerError) -> String? {
        try LedgerError.wrapping {
            if let job = try Self.holder(of: key, db) { return job }
            try db
                .cachedStatement(sql: "INSERT INTO temp.import_keys (key, line) VALUES (?, ?) ON CONFLICT DO NOTHING")
                .execute(arguments: [key, line])
            guard db.changesCount == 0 else { return nil }
            let statement = try db.cachedStatement(sql: "SELECT line FROM temp.import_keys WHERE key = ?")
            return try Int.fetchOne(statement, arguments: [key]).map { "line \($0)" }
        }
    }

    func problem(with reference: InputReference) throws(LedgerError) -> String? {
        try LedgerError.wrapping {
            let source = try QueueFile.source(of: reference, db)
            if source == nil, case .key(let key) = reference.source {
                let statement = try db.cachedStatement(sql: "SELECT 1 FROM temp.import_keys WHERE key = ?")
                if try Int.fetchOne(statement, arguments: [key]) != nil { return nil }
            }
            return reference.problem(with: source)
        }
    }

    static func holder(of key: String, _ db: Database) throws -> String? {
        let statement = try db.cachedStatement(sql: "SELECT id, state FROM jobs WHERE unique_key = ?")
        return try Row.fetchOne(statement, arguments: [key]).map { row in
            "job \(row["id"] as Int64) (\(row["state"] as String))"
        }
    }
}

extension QueueFile {
    package func checkingKeys<T>(_ body: (any KeyChecker) throws -> T) throws -> T {
        try queue.writeWithoutTransaction { db in try body(UniqueKeys(db)) }
    }
}
