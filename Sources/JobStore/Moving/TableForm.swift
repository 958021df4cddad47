import PromptQueue

/// Where a table's rows stand in SQLite, and how they are written, where that is not simply a table of the same name and columns.
struct TableForm {
    let table: MovedTable
    /// What is read from.
    var source: String
    /// What is read for a column, where that is not the column itself.
    var expressions: [String: String] = [:]
    /// Which rows of it.
    var filter = "true"
    /// Takes a row, its values in the table's order; nil: an INSERT.
    var statement: String?
    /// Removes what is there; nil: a DELETE of all.
    var clearing: String?

    init(_ table: MovedTable) {
        self.table = table
        source = table.name
        switch table.name {
        case "jobs":
            expressions["turn"] = "CASE WHEN state <> 'queued' OR turn IS NULL THEN coalesce(turn, kept_turn) END"
            statement = Self.inserting(
                table,
                ["turn": "CASE WHEN {state} <> 'queued' THEN {turn} END"],
                and: ["kept_turn": "CASE WHEN {state} = 'queued' THEN {turn} END"]
            )
        case "job_turns":
            source = "jobs"
            expressions = ["job_id": "id", "batch": "coalesce(batch, '')"]
            filter = "state = 'queued' AND turn IS NOT NULL"
            statement = "UPDATE jobs SET turn = ?6, kept_turn = NULL WHERE id = ?1"
            clearing = "UPDATE jobs SET turn = NULL WHERE state = 'queued' AND turn IS NOT NULL"
        case "turns":
            filter = "taken >= 0"
            statement = "INSERT INTO turns (queue, priority, batch, taken, turn) VALUES (?1, ?2, ?3, ?4, ?4)"
        case "gates":
            filter = "name = '\(BlockReason.restored.rawValue)'"
        case "daemon":
            expressions = [
                "pid": "CASE WHEN started_at IS NOT NULL THEN pid END",
                "version": "CASE WHEN started_at IS NOT NULL THEN version END",
                "stopped_at":
                    "CASE WHEN started_at IS NOT NULL THEN coalesce(stopped_at, heartbeat_at, started_at) END",
                "heartbeat_at": "CASE WHEN started_at IS NOT NULL THEN coalesce(heartbeat_at, started_at) END",
            ]
            let columns = table.columns.dropFirst().enumerated().map { "\($1.name) = ?\($0 + 2)" }
            statement = "UPDATE daemon SET \(columns.joined(separator: ", ")) WHERE id = ?1"
            clearing = "UPDATE daemon SET has_marks = 0"
        case "sequences":
            let names = MovedTable.numbered.map { "('\($0)')" }.joined(separator: ", ")
            source = """
                (SELECT n.column1 AS name, coalesce(s.seq, 0) AS seq
                FROM (VALUES \(names)) AS n LEFT JOIN sqlite_sequence AS s ON s.name = n.column1)
                """
            statement = """
                INSERT INTO sqlite_sequence (name, seq) SELECT ?1, CAST(?2 AS INTEGER) WHERE CAST(?2 AS INTEGER) > 0
                """
            let list = MovedTable.numbered.map { "'\($0)'" }.joined(separator: ", ")
            clearing = "DELETE FROM sqlite_sequence WHERE name IN (\(list))"
        default: break
        }
    }

    /// Reads lines, each with its key, behind a key that is given as parameters.
    ///
    /// - Parameter isFirst: whether there is no key yet.
    func reading(isFirst: Bool, limit: Int) -> String {
        let cells = table.columns.map { column in
            let value = expression(of: column)
            return "coalesce(\(column.isText ? Self.escaped(value) : value), '\\N')"
        }
        // A text may have a NUL in it, which a text's end would be taken for.
        let keys = table.key.map { $0.isText ? "CAST(\(expression(of: $0)) AS BLOB)" : expression(of: $0) }
        let names = table.key.map { expression(of: $0) }.joined(separator: ", ")
        let places = table.key.map { $0.isText ? "CAST(? AS TEXT)" : "?" }.joined(separator: ", ")
        return """
            SELECT \(cells.joined(separator: " || char(9) || ")) || char(10), \(keys.joined(separator: ", "))
            FROM \(source) WHERE \(filter)\(isFirst ? "" : " AND (\(names)) > (\(places))")
            ORDER BY \(names) LIMIT \(limit)
            """
    }

    var writing: String { statement ?? Self.inserting(table, [:], and: [:]) }

    var emptying: String { clearing ?? "DELETE FROM \(source)" }

    private func expression(of column: MovedTable.Column) -> String { expressions[column.name] ?? column.name }

    /// An INSERT of a table's columns, and more; `{state}` stands for the value of a column.
    private static func inserting(
        _ table: MovedTable,
        _ expressions: [String: String],
        and more: [String: String]
    ) -> String {
        let values = table.columns.enumerated().map { (name: $1.name, place: "?\($0 + 1)") }
        func filled(_ text: String) -> String {
            values.reduce(text) { $0.replacing("{\($1.name)}", with: $1.place) }
        }
        let columns = values.map(\.name) + more.keys.sorted()
        let written =
            values.map { value in expressions[value.name].map(filled) ?? value.place }
            + more.sorted { $0.key < $1.key }.map { filled($0.value) }
        return
            "INSERT INTO \(table.name) (\(columns.joined(separator: ", "))) VALUES (\(written.joined(separator: ", ")))"
    }

    /// What COPY takes for something else is written with a backslash.
    private static func escaped(_ value: String) -> String {
        let escapes: [(String, String)] = [
            ("'\\'", "'\\\\'"), ("char(8)", "'\\b'"), ("char(9)", "'\\t'"), ("char(10)", "'\\n'"),
            ("char(11)", "'\\v'"),
            ("char(12)", "'\\f'"), ("char(13)", "'\\r'"),
        ]
        return escapes.reduce(value) { "replace(\($0), \($1.0), \($1.1))" }
    }
}
