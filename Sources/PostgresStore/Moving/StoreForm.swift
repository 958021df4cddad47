import PromptQueue

/// Where a table's rows stand in PostgreSQL, and what takes them, where that is not simply a table of the same name and columns.
struct StoreForm {
    let table: MovedTable
    /// What is read from.
    private var source: String
    private var expressions: [String: String] = [:]
    private var filter = "true"
    /// The table that takes the rows.
    private var target: String
    /// A table of this transaction alone that takes them first, and what is done with them.
    private var staging: (definition: String, then: String)?

    init(_ table: MovedTable) {
        self.table = table
        source = "promptd." + table.name
        target = table.name
        switch table.name {
        // The sums that are read are those of the view: what was folded, and what was added since.
        case "accounts": target = "account"
        case "budget_spending": target = "budget_spending_sums"
        case "spending": target = "spending_sums"
        case "completion_times": target = "completion_sums"
        case "jobs":
            source = "promptd.jobs AS j LEFT JOIN (SELECT job_id FROM promptd.job_turns) AS t ON t.job_id = j.id"
            expressions["turn"] = "CASE WHEN t.job_id IS NULL THEN turn END"
        case "turns":
            source = "promptd.turns_taken"
            filter = "taken >= 0"
            target = "turns_taken"
        case "gates":
            filter = "name = '\(BlockReason.restored.rawValue)'"
            target = "daemon_gates"
        case "daemon":
            expressions = [
                "stopped_at":
                    "CASE WHEN started_at IS NOT NULL THEN coalesce(stopped_at, heartbeat_at, started_at) END",
                "heartbeat_at": "CASE WHEN started_at IS NOT NULL THEN coalesce(heartbeat_at, started_at) END",
            ]
            target = "store"
            // Epochs are in notes of daemons' own, too: those of another database that the queue once lay in do not come again.
            let columns = table.columns.dropFirst().map(\.name).filter {
                !["pid", "version", "started_at", "stopped_at", "heartbeat_at"].contains($0)
            }
            staging = (
                definition: Self.staging(table),
                then: """
                UPDATE promptd.store AS s SET has_marks = 0,
                    \(columns.map { "\($0) = m.\($0)" }.joined(separator: ", ")) FROM moved_rows AS m;
                ALTER TABLE promptd.daemons DISABLE TRIGGER USER;
                DELETE FROM promptd.daemons;
                INSERT INTO promptd.daemons (name, pid, version, started_at, heartbeat_at, lease_until, ended_at)
                SELECT 'promptd', pid, version, started_at, heartbeat_at, heartbeat_at, stopped_at FROM moved_rows
                WHERE started_at IS NOT NULL;
                ALTER TABLE promptd.daemons ENABLE TRIGGER USER
                """
            )
        case "sequences":
            let parts = MovedTable.numbered.map { name in
                let column = name == "events" ? "sequence" : "id"
                return "SELECT '\(name)' AS name, CASE WHEN is_called THEN last_value ELSE 0 END AS seq "
                    + "FROM promptd.\(name)_\(column)_seq"
            }
            source = "(\(parts.joined(separator: " UNION ALL "))) AS numbers"
            target = ""
            staging = (
                definition: Self.staging(table),
                then: """
                SELECT setval(pg_get_serial_sequence('promptd.' || name, CASE name WHEN 'events' THEN 'sequence' ELSE 'id' END),
                    greatest(seq, 1), seq > 0) FROM moved_rows
                """
            )
        default: break
        }
    }

    private static func staging(_ table: MovedTable) -> String {
        let columns = table.columns.map { "\($0.name) \($0.isText ? "text" : "bigint")" }
        return "CREATE TEMPORARY TABLE moved_rows (\(columns.joined(separator: ", "))) ON COMMIT DROP"
    }

    private var columns: String { table.columns.map(\.name).joined(separator: ", ") }

    /// `COPY (SELECT …) TO STDOUT`.
    var reading: String {
        let values = table.columns.map { column in
            expressions[column.name].map { "\($0) AS \(column.name)" } ?? column.name
        }
        // By their bytes, as SQLite has them.
        let order = table.key.map { $0.isText ? "\($0.name) COLLATE \"C\"" : $0.name }
        return """
            COPY (SELECT \(values.joined(separator: ", ")) FROM \(source) WHERE \(filter)
                ORDER BY \(order.joined(separator: ", "))) TO STDOUT
            """
    }

    /// `COPY … FROM STDIN`.
    var writing: String {
        staging == nil ? "COPY promptd.\(target) (\(columns)) FROM STDIN" : "COPY moved_rows (\(columns)) FROM STDIN"
    }

    /// What goes before: the owner's triggers are silent, because what they work out is carried, and what was there is gone.
    var before: String {
        var steps = target.isEmpty ? [] : ["ALTER TABLE promptd.\(target) DISABLE TRIGGER USER"]
        if let staging { steps.append(staging.definition) } else { steps.append("DELETE FROM promptd.\(target)") }
        return steps.joined(separator: "; ")
    }

    var after: String {
        var steps = staging.map { [$0.then] } ?? []
        if !target.isEmpty { steps.append("ALTER TABLE promptd.\(target) ENABLE TRIGGER USER") }
        return steps.joined(separator: "; ")
    }
}
