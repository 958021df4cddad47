import GRDB
import JobStore
import Postgres
import PostgresServer
import PostgresStore
import Synchronization

/// Plays statements on a new SQLite database.
enum SQLiteCases {
    static func play(_ statements: [SchemaCase.Statement]) throws -> [SchemaOutcome] {
        let database = try DatabaseQueue()
        defer { try? database.close() }
        return try database.inDatabase { db in
            try Schema.migrate(db)
            db.add(
                function: DatabaseFunction("repeat", argumentCount: 2, pure: true) { values in
                    String.fromDatabaseValue(values[0]).flatMap { text in
                        Int.fromDatabaseValue(values[1]).map { String(repeating: text, count: $0) }
                    }
                }
            )
            return statements.map { statement in
                do {
                    return .rows(try Row.fetchAll(db, sql: statement.sql).map(text))
                } catch let error as DatabaseError {
                    let words = error.message ?? "no message"
                    let prefix = "CHECK constraint failed: "
                    return .refused(words.hasPrefix(prefix) ? String(words.dropFirst(prefix.count)) : words)
                } catch {
                    return .refused("\(error)")
                }
            }
        }
    }

    private static func text(of row: Row) -> String {
        SchemaOutcome.alike(
            row.databaseValues.map { value in
                switch value.storage {
                case .null: ""
                case .int64(let number): "\(number)"
                case .double(let number): "\(number)"
                case .string(let text): text
                case .blob(let data): String(decoding: data, as: UTF8.self)
                }
            }
            .joined(separator: "|")
        )
    }
}

/// Plays statements on a new PostgreSQL database.
enum PostgresCases {
    private static let template = Mutex<Task<String, any Error>?>(nil)

    /// A database with the schema in it, to copy.
    private static func prepared() async throws -> String {
        let task = template.withLock { task in
            if let task { return task }
            let new = Task {
                let name = "schema_cases"
                try await administer("CREATE DATABASE \(name)")
                let connection = try await open(name)
                try await StoreSchema.install(connection)
                await connection.close()
                return name
            }
            task = new
            return new
        }
        return try await task.value
    }

    private static func open(_ database: String) async throws -> PostgresConnection {
        var settings = try await PostgresSettings.patient(
            PostgresServer.shared().conninfo(database: database),
            applicationName: "promptd tests"
        )
        // A database is copied for each case, on a machine that is busy.
        settings.limits.statement = nil
        return try await .open(settings)
    }

    private static func administer(_ statement: String) async throws {
        let connection = try await open("postgres")
        _ = try await connection.query(SQL(pasted: statement))
        await connection.close()
    }

    /// - Parameter number: of the case, for the database's name.
    static func play(_ statements: [SchemaCase.Statement], number: Int) async throws -> [SchemaOutcome] {
        let template = try await prepared()
        let name = "schema_case_\(number)"
        try await administer("CREATE DATABASE \(name) TEMPLATE \(template)")
        try await administer("ALTER DATABASE \(name) SET search_path = promptd, public")
        let connection = try await open(name)
        var outcomes: [SchemaOutcome] = []
        var isOpen = false
        for statement in statements {
            let word = statement.sql.prefix { $0.isLetter }
            isOpen = word == "BEGIN" || (isOpen && word != "COMMIT" && word != "ROLLBACK")
            outcomes.append(try await outcome(of: statement.sql, isQuestion: word == "SELECT", connection))
            // As a daemon at work does.
            if !isOpen { _ = try await connection.query("SELECT fold()") }
        }
        await connection.close()
        try await administer("DROP DATABASE \(name)")
        return outcomes
    }

    private static func outcome(
        of sql: String,
        isQuestion: Bool,
        _ connection: PostgresConnection
    ) async throws -> SchemaOutcome {
        // Of any type, as one text.
        let asked =
            isQuestion
            ? """
            SELECT (SELECT string_agg(coalesce(c.value, ''), '|' ORDER BY c.ordinality)
                FROM json_each_text(row_to_json(r)) WITH ORDINALITY AS c) FROM (\(sql)) AS r
            """ : sql
        do {
            let rows = try await connection.query(SQL(pasted: asked))
            return .rows(isQuestion ? try rows.map { SchemaOutcome.alike(try $0[0]) } : [])
        } catch let error as PostgresError {
            return .refused(error.server?.message ?? error.message)
        }
    }
}
