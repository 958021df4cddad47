import GRDB
import PromptQueue

/// What a database says of the moves that it was in: rows of `moves`, a table that is made with the first, and triggers that refuse
/// whatever is written. So the refusal holds for everybody, programs of any version and the `sqlite3` shell included.
struct MoveMarks {
    enum Role: String {
        case source, destination
    }

    private static let own = ["moves", "moved_tables"]

    let db: Database

    private func hasTable() throws -> Bool { try db.tableExists("moves") }

    /// The move that it leaves by, or left by, if its rows are still closed for it.
    func record(_ role: Role, id: String? = nil) throws -> MoveRecord? {
        guard try hasTable() else { return nil }
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT id, state, source, destination, database_id FROM moves WHERE role = ?1 AND (?2 IS NULL OR id = ?2)
                ORDER BY rowid DESC LIMIT 1
                """,
            arguments: [role.rawValue, id]
        )
        guard let row, let state = MoveRecord.State(rawValue: row["state"]) else { return nil }
        return MoveRecord(
            id: row["id"],
            state: state,
            source: row["source"],
            destination: row["destination"],
            databaseID: row["database_id"]
        )
    }

    /// Why nothing can be written; nil: it can.
    static func refusal(_ db: Database) throws -> String? {
        guard try isClosed(db), let record = try MoveMarks(db: db).last() else { return nil }
        return record
    }

    private static func isClosed(_ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name = 'moved_jobs_insert')"
        ) ?? false
    }

    private func last() throws -> String? {
        guard try hasTable() else { return nil }
        let row = try Row.fetchOne(db, sql: "SELECT role, id FROM moves ORDER BY rowid DESC LIMIT 1")
        guard let row, let role = Role(rawValue: row["role"]), let record = try record(role, id: row["id"]) else {
            return nil
        }
        return role == .source ? record.refusalOfSource : record.refusalOfDestination
    }

    /// Notes a move, and closes the database for it.
    func close(_ record: MoveRecord, _ role: Role) throws {
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS moves (
                    id TEXT NOT NULL, role TEXT NOT NULL, state TEXT NOT NULL, source TEXT NOT NULL, destination TEXT NOT NULL,
                    database_id TEXT NOT NULL, PRIMARY KEY (id, role)
                ) STRICT;
                CREATE TABLE IF NOT EXISTS moved_tables (
                    name TEXT NOT NULL PRIMARY KEY, row_count INTEGER NOT NULL, sha256 TEXT NOT NULL
                ) STRICT;
                """
        )
        try db.execute(
            sql: """
                INSERT INTO moves (id, role, state, source, destination, database_id) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (id, role) DO UPDATE SET state = excluded.state
                """,
            arguments: [
                record.id, role.rawValue, record.state.rawValue, record.source, record.destination, record.databaseID,
            ]
        )
        try refuse(role == .source ? record.refusalOfSource : record.refusalOfDestination)
    }

    /// Opens a database that a queue has come to whole.
    func open(_ record: MoveRecord) throws {
        try db.execute(
            sql: "UPDATE moves SET state = 'moved' WHERE id = ? AND role = 'destination'",
            arguments: [record.id]
        )
        try db.execute(sql: "DELETE FROM moved_tables")
        try acceptWrites()
    }

    /// Takes a move back that was not finished.
    func takeBack(_ record: MoveRecord) throws {
        try acceptWrites()
        try db.execute(sql: "DELETE FROM moves WHERE id = ?", arguments: [record.id])
    }

    private func refuse(_ words: String) throws {
        try acceptWrites()
        let quoted = words.replacing("'", with: "''")
        for table in try String.fetchAll(
            db,
            sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        ) where !Self.own.contains(table) {
            for change in ["INSERT", "UPDATE", "DELETE"] {
                try db.execute(
                    sql: """
                        CREATE TRIGGER "moved_\(table)_\(change.lowercased())" BEFORE \(change) ON "\(table)"
                        BEGIN
                            SELECT RAISE(ABORT, '\(quoted)');
                        END
                        """
                )
            }
        }
    }

    private func acceptWrites() throws {
        for trigger in try String.fetchAll(
            db,
            sql: "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'moved\\_%' ESCAPE '\\'"
        ) { try db.execute(sql: "DROP TRIGGER \"\(trigger)\"") }
    }
}
