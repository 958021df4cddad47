import GRDB
import Postgres
import PostgresServer
import PostgresStore

/// What stands in a SQLite database, carried into a new one of PostgreSQL's as it is, past its rules.
enum CarriedStore {
    /// Tables whose rows SQLite has under another name.
    private static let sources = [
        "account": "accounts", "budget_spending_sums": "budget_spending", "completion_sums": "completion_times",
        "daemon_gates": "gates", "queue_count_sums": "queue_counts", "spending_sums": "spending", "store": "daemon",
    ]

    static func carry(_ path: String, to conninfo: String) throws {
        let database = try DatabaseQueue(path: path)
        defer { try? database.close() }
        var settings = PostgresSettings.patient(conninfo, applicationName: "tests")
        settings.limits.statement = nil
        settings.limits.idleInTransaction = nil
        let connection = try BlockingConnection(settings)
        try connection.transaction {
            _ = try connection.query("SET LOCAL session_replication_role = replica")
            _ = try connection.query("SET LOCAL search_path = promptd")
            let columns = try columns(connection)
            for (table, names) in columns where table != "schema_version" {
                try database.read { db in try carry(table, names, db, connection) }
            }
            try places(connection)
            let daemon = try database.read { try Row.fetchOne($0, sql: "SELECT * FROM daemon") }
            _ = try connection.query(
                """
                INSERT INTO daemons (name, pid, version, started_at, heartbeat_at, lease_until, ended_at)
                VALUES ('promptd', $1, $2, $3, $4, $4, $5)
                """,
                [
                    .int(daemon?["pid"] as Int64?), .text(daemon?["version"] as String?),
                    .int(daemon?["started_at"] as Int64?),
                    .int(daemon?["heartbeat_at"] as Int64?), .int(daemon?["stopped_at"] as Int64?),
                ]
            )
        }
        try connection.close()
    }

    /// Of each table.
    private static func columns(_ connection: BlockingConnection) throws -> [String: [String]] {
        let rows = try connection.query(
            """
            SELECT c.table_name, c.column_name FROM information_schema.columns AS c
                JOIN information_schema.tables AS t ON (t.table_schema, t.table_name) = (c.table_schema, c.table_name)
            WHERE c.table_schema = 'promptd' AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position
            """
        )
        return try rows.reduce(into: [:]) { $0[try $1[0] as String, default: []].append(try $1[1]) }
    }

    private static func carry(
        _ table: String,
        _ columns: [String],
        _ db: Database,
        _ connection: BlockingConnection
    ) throws {
        let source = sources[table] ?? table
        guard try db.tableExists(source) else { return }
        let known = Set(try db.columns(in: source).map(\.name))
        let shared = columns.filter(known.contains).map { "\"\($0)\"" }.joined(separator: ", ")
        _ = try connection.query(SQL(pasted: "DELETE FROM \(table)"))
        let rows = try Row.fetchCursor(db, sql: "SELECT \(shared) FROM \(source)")
        try connection.copyIn(SQL(pasted: "COPY \(table) (\(shared)) FROM STDIN")) { writer in
            while let row = try rows.next() {
                try writer.write(
                    row.databaseValues.map { value in
                        switch value.storage {
                        case .null: .null
                        case .int64(let number): .int(number)
                        case .double(let number): .double(number)
                        case .string(let text): .text(text)
                        case .blob(let data): .bytes(Array(data))
                        }
                    }
                )
            }
        }
    }

    /// Where queued jobs wait, which is a table of its own here.
    private static func places(_ connection: BlockingConnection) throws {
        _ = try connection.query(
            """
            INSERT INTO job_turns (job_id, queue, priority, model, batch, turn)
            SELECT id, queue, priority, model, coalesce(batch, ''), turn FROM jobs
            WHERE state = 'queued' AND coalesce(waits, 0) = 0 AND run_at <= now_ms()
            """
        )
        _ = try connection.query(
            """
            INSERT INTO job_times (job_id, run_at) SELECT id, run_at FROM jobs
            WHERE state = 'queued' AND coalesce(waits, 0) = 0 AND run_at > now_ms()
            """
        )
    }
}
