import Postgres
package import PromptQueue

extension PostgresQueue {
    package func add(_ schedule: ScheduleRecord, replaces: Bool) throws(LedgerError) {
        try change { connection in
            let name = PostgresValue.text(schedule.name)
            let rows = try connection.query("SELECT 1 FROM schedules WHERE name = $1 FOR UPDATE", [name])
            if !rows.isEmpty {
                guard replaces else {
                    throw LedgerError(.constraint, "there is a schedule \"\(schedule.name)\" already")
                }
                _ = try connection.query("DELETE FROM schedules WHERE name = $1", [name])
            }
            let job = schedule.job
            _ = try connection.query(
                """
                INSERT INTO schedules (name, cron, time_zone, prompt, model, input, queue, priority, batch, labels, max_attempts,
                    allow_unknown, limit_millicredits, catch_up, enabled, created_at, next_run_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
                """,
                [
                    name, .text(schedule.cron), .text(schedule.timeZone), .text(job.prompt), .text(job.model),
                    .text(job.input), .text(job.queue), .int(job.priority), .text(job.batch), .text(job.labels),
                    .int(Int64(job.maxAttempts)), .int(job.allowsUnknownFields ? 1 : 0),
                    .int(schedule.limit?.millicredits), .text(schedule.catchUp.rawValue),
                    .int(schedule.isEnabled ? 1 : 0), .int(schedule.createdAt.milliseconds),
                    .int(schedule.nextRunAt?.milliseconds),
                ]
            )
        }
    }

    package func setEnabled(_ isEnabled: Bool, schedule: String) throws(LedgerError) -> Bool {
        guard !StoredText.holdsNUL(schedule) else { return false }
        return try carryOut(
            "UPDATE schedules SET enabled = $1 WHERE name = $2",
            [.int(isEnabled ? 1 : 0), .text(schedule)]
        ).affected > 0
    }

    package func removeSchedule(_ name: String) throws(LedgerError) -> Bool {
        guard !StoredText.holdsNUL(name) else { return false }
        return try carryOut("DELETE FROM schedules WHERE name = $1", [.text(name)]).affected > 0
    }

    package func runNow(_ schedule: ScheduleRecord, _ job: NewJob, now: Instant) throws(LedgerError) -> JobID {
        try change { connection in
            guard let (id, _) = try JobRows([job]).insert(connection, skipsDuplicates: false).first else {
                throw LedgerError(.other, "the server has inserted no job, and has not said why")
            }
            _ = try connection.query(
                "UPDATE schedules SET last_job_id = $1, last_error = NULL WHERE name = $2",
                [.int(id.rawValue), .text(schedule.name)]
            )
            return id
        }
    }
}
