import PromptQueue

// Producers and shells that write whatever the schema lets them.
extension World {
    /// Whether somebody has changed by SQL what no producer may write. What follows from that is his own doing, but not
    /// that a job is paid for twice, nor that the others stand still.
    var isTampered: Bool { tamperings > 0 }

    /// A row as a careless or hostile producer writes it. The schema may refuse it.
    func addStrangeRow() throws {
        let (texts, numbers, objects) = (place.dialect.texts, place.dialect.numbers, place.dialect.objects)
        var columns = ["prompt"]
        var values = [users.pick(texts)]
        for (column, choices) in [
            ("model", texts), ("queue", texts), ("input", objects), ("batch", texts), ("labels", objects),
            ("unique_key", texts), ("priority", numbers), ("run_at", numbers), ("max_attempts", numbers),
            ("created_at", numbers), ("estimated_millicredits", numbers), ("turn", numbers), ("id", numbers),
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
        let aims = try place.rows(
            """
            SELECT job_id FROM attempts WHERE finished_at IS NULL UNION SELECT id FROM jobs WHERE state = 'running'
            ORDER BY 1 LIMIT 100
            """
        )
        let statement = try ForeignStatement(
            &users,
            in: place.dialect,
            reach: .oneJob,
            jobs: max(jobs, 1),
            aims: aims.map { $0[0] },
            columns: place.columns
        )
        let sql = statement.sql
        let settled = try settledAttempts()
        let open = try openAttempts()
        guard try place.tries(sql) else { return }
        trace.note(now, "foreign statement", text: sql)
        // A second open attempt, or a settled row that reads otherwise, is never the user's right.
        let after = try settledAttempts()
        for (attempt, row) in settled where after[attempt] != row {
            throw Violation(.books, "attempt \(attempt) was settled and was changed by: \(sql)")
        }
        // Of a job that goes by another id nobody would know what was sent for it.
        let orphans = try place.rows(
            """
            SELECT id FROM attempts WHERE finished_at IS NULL AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = job_id) LIMIT 1
            """
        )
        if let orphan = orphans.first {
            throw Violation(.nothingPaidTwice, "open attempt \(orphan[0] as Int64) has lost its job by: \(sql)")
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
    func countJobs() throws {
        jobs = max(jobs, Int(try place.number("SELECT coalesce(max(id), 0) FROM jobs WHERE id < ?", [jobs + 1_000])))
    }

    private func settledAttempts() throws -> [AttemptID: SimulatedRow] {
        try attempts("finished_at IS NOT NULL")
    }

    private func openAttempts() throws -> [AttemptID: SimulatedRow] {
        try attempts("finished_at IS NULL")
    }

    private func attempts(_ condition: String) throws -> [AttemptID: SimulatedRow] {
        let rows = try place.rows(
            """
            SELECT id, job_id, state, task_id, finished_at, answered_at, arrives_until, reserved_millicredits,
                charged_millicredits, error_code, hinted_task_id
            FROM attempts WHERE \(condition)
            """
        )
        return Dictionary(uniqueKeysWithValues: rows.map { (AttemptID($0[0]), $0) })
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
