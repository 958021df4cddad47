import GRDB
import PromptQueue

// Producers and shells that write whatever the schema lets them.
extension World {
    /// Whether somebody has changed by SQL what no producer may write. What follows from that is his own doing, but not
    /// that a job is paid for twice, nor that the others stand still.
    var isTampered: Bool { tamperings > 0 }

    private static var texts: [String] {
        [
            "'a red fox'", "''", "'a' || char(0) || 'b'", "CAST(x'ff41' AS TEXT)", "CAST(x'636166e9' AS TEXT)",
            "'caf' || char(233)", "'cafe' || char(769)", "printf('%.*c', 5000, 'x')", "char(128512)",
            "'a' || char(10) || char(27) || '[2J'", "'default'", "'usual'", "'\"'", "char(8238)", "NULL",
        ]
    }

    private static var objects: [String] {
        [
            "'{}'", "'{\"a\":1,\"a\":2}'", "'{\"a\":1e999}'", "'{\"a\":\"\\ud83d\"}'", "'[]'", "'{'",
            "'{\"a\":' || char(0) || '}'",
            "'{\"a\":' || replace(printf('%.*c', 20, '['), '[', '[') || replace(printf('%.*c', 20, ']'), ']', ']') || '}'",
            "'{\"a\":' || printf('%.*c', 900, '[') || printf('%.*c', 900, ']') || '}'",
            "'{\"a\":\"' || CAST(x'ff' AS TEXT) || '\"}'", "'{\"prompt\":\"another\"}'",
        ]
    }

    private static var numbers: [String] {
        ["0", "1", "-1", "3", "9223372036854775807", "-9223372036854775808", "1e18", "'x'", "NULL", "100000000000"]
    }

    /// A row as a careless or hostile producer writes it. The schema may refuse it.
    func addStrangeRow() throws {
        var columns = ["prompt"]
        var values = [users.pick(Self.texts)]
        for (column, choices) in [
            ("model", Self.texts), ("queue", Self.texts), ("input", Self.objects), ("batch", Self.texts),
            ("labels", Self.objects), ("unique_key", Self.texts), ("priority", Self.numbers), ("run_at", Self.numbers),
            ("max_attempts", Self.numbers), ("created_at", Self.numbers), ("estimated_millicredits", Self.numbers),
            ("turn", Self.numbers), ("id", Self.numbers),
        ] where users.happens(0.15) {
            columns.append(column)
            values.append(users.pick(choices))
        }
        let sql = "INSERT INTO jobs (\(columns.joined(separator: ", "))) VALUES (\(values.joined(separator: ", ")))"
        trace.note(now, "strange row", text: sql)
        guard try place.tries(sql) else { return }
        try countJobs()
        noticeLater()
    }

    /// A statement of somebody's shell, on any column of any table.
    func runForeignSQL() throws {
        let tables: [(String, String)] = [
            ("jobs", "id"), ("attempts", "id"), ("results", "job_id"), ("spending", "rowless"),
            ("queue_counts", "rowless"),
            ("turns", "rowless"), ("turns_served", "rowless"), ("account_totals", "id"), ("account_readings", "id"),
            ("set_aside", "job_id"), ("completion_times", "rowless"), ("job_keys", "job_id"), ("daemon", "id"),
        ]
        let (table, key) = users.draw(
            [(6, tables[0]), (6, tables[1]), (3, tables[2])] + tables[3...].map { (0.7, $0) }
        )
        let columns = try place.rows("SELECT name FROM pragma_table_info('\(table)')").map { $0[0] as String }
        let place = key == "rowless" ? "" : " WHERE \(key) = \(users.whole(1...max(jobs, 1)))"
        func value(_ column: String) -> String {
            if column == "state" {
                return "'"
                    + users.pick([
                        "queued", "submitting", "running", "succeeded", "failed", "cancelled", "unconfirmed",
                        "sending", "accepted", "rejected", "unknown", "pending", "saved",
                    ]) + "'"
            }
            return users.pick(Self.numbers + Self.texts + ["\(users.pick(columns))", "'task-1'", "14000"])
        }
        let verb = users.draw([
            (6, "UPDATE"), (1, "UPDATE OR REPLACE"), (1, "UPDATE OR IGNORE"), (2, "DELETE"), (2, "INSERT OR REPLACE"),
        ])
        let sql: String
        switch verb {
        case "DELETE":
            // What has ended may be deleted, with its results; that is no tampering.
            sql = "DELETE FROM \(table)\(place)"
        case "INSERT OR REPLACE":
            let some = columns.filter { _ in users.happens(0.5) }
            guard !some.isEmpty else { return }
            sql =
                "INSERT OR REPLACE INTO \(table) (\(some.joined(separator: ", "))) VALUES (\(some.map(value).joined(separator: ", ")))"
        default:
            let some = (0..<users.whole(1...2)).map { _ in users.pick(columns) }
            sql = "\(verb) \(table) SET \(some.map { "\($0) = \(value($0))" }.joined(separator: ", "))\(place)"
        }
        let settled = try settledAttempts()
        let open = try openAttempts()
        guard try self.place.tries(sql) else { return }
        trace.note(now, "foreign statement", text: sql)
        // A second open attempt, or a settled row that reads otherwise, is never the user's right.
        let after = try settledAttempts()
        for (attempt, row) in settled where after[attempt] != row {
            throw Violation(.books, "attempt \(attempt) was settled and was changed by: \(sql)")
        }
        // Whoever settles an open attempt by hand has said that it is his affair.
        for (attempt, row) in try openAttempts() where open[attempt] != nil && open[attempt] != row {
            handled.insert(attempt)
        }
        for attempt in open.keys where after[attempt] != nil { handled.insert(attempt) }
        tamperings += 1
        try countJobs()
        noticeLater()
    }

    /// Users walk through all ids; what has one far away they leave alone.
    private func countJobs() throws {
        jobs = max(jobs, Int(try place.number("SELECT coalesce(max(id), 0) FROM jobs WHERE id < ?", [jobs + 1_000])))
    }

    private func settledAttempts() throws -> [AttemptID: String] {
        try attempts("finished_at IS NOT NULL")
    }

    private func openAttempts() throws -> [AttemptID: String] {
        try attempts("finished_at IS NULL")
    }

    private func attempts(_ condition: String) throws -> [AttemptID: String] {
        let rows = try place.rows(
            """
            SELECT id, job_id || ' ' || state || ' ' || quote(task_id) || quote(finished_at) || quote(answered_at)
                || quote(arrives_until) || reserved_millicredits || ' ' || quote(charged_millicredits) || quote(error_code)
                || quote(hinted_task_id)
            FROM attempts WHERE \(condition)
            """
        )
        return Dictionary(uniqueKeysWithValues: rows.map { (AttemptID($0[0]), $0[1] as String) })
    }

    /// No job has two requests that are not settled, whatever anybody wrote.
    func checkOneOpenAttempt() throws {
        let twice = try place.rows(
            "SELECT job_id FROM attempts WHERE finished_at IS NULL GROUP BY job_id HAVING count(*) > 1 LIMIT 1"
        )
        if let row = twice.first {
            let job: Int64 = row[0]
            throw Violation(.nothingPaidTwice, "job \(job) has two attempts that are not settled")
        }
    }
}
