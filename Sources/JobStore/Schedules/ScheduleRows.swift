import GRDB
package import PromptQueue

/// The table `schedules`, in SQL: the queries behind both the daemon and the commands.
struct ScheduleRows {
    let db: Database

    func all(onlyEnabled: Bool) throws -> [ScheduleRecord] {
        let condition = onlyEnabled ? "WHERE enabled = 1" : ""
        return try Row.fetchAll(db.cachedStatement(sql: "SELECT * FROM schedules \(condition) ORDER BY name"))
            .map(ScheduleRecord.init(row:))
    }

    func insert(_ schedule: ScheduleRecord) throws {
        let job = schedule.job
        try db.execute(
            sql: """
                INSERT INTO schedules (name, cron, time_zone, prompt, model, input, queue, priority, batch, labels,
                    max_attempts, allow_unknown, limit_millicredits, catch_up, enabled, created_at, next_run_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                schedule.name, schedule.cron, schedule.timeZone, job.prompt, job.model, job.input, job.queue,
                job.priority, job.batch, job.labels, job.maxAttempts, job.allowsUnknownFields,
                schedule.limit?.millicredits, schedule.catchUp.rawValue, schedule.isEnabled,
                schedule.createdAt.milliseconds, schedule.nextRunAt?.milliseconds,
            ]
        )
    }

    func take(_ step: ScheduleStep, now: Instant) throws -> ScheduleOutcome {
        let name = step.schedule.name
        guard let current = try Row.fetchOne(db, sql: "SELECT * FROM schedules WHERE name = ?", arguments: [name]),
            current["enabled"] == 1,
            try ScheduleRecord(row: current).isSame(as: step.schedule)
        else { return .changed }
        let isHeld = try Bool.fetchOne(db, sql: "SELECT restored_at IS NOT NULL OR is_copy FROM daemon") ?? false
        if isHeld {
            try move(name, to: step.next)
            return .held
        }
        if step.waitsForLast, !step.jobs.isEmpty, let last = try waiting(step.schedule) {
            try move(name, to: step.next)
            try note(LedgerMessages.lastStillWaits(last), name)
            return .waits(last)
        }
        let insertion = try JobInsertion(db, now: now, skipsDuplicates: true)
        var ids: [JobID] = []
        for job in step.jobs where try insertion.insert(job) { ids.append(JobID(db.lastInsertedRowID)) }
        try move(name, to: step.next)
        try note(step.error.map(BoundedText.message), name)
        if let lastRun = step.lastRun {
            try db.execute(
                sql: "UPDATE schedules SET last_run_at = ?, last_job_id = coalesce(?, last_job_id) WHERE name = ?",
                arguments: [lastRun.milliseconds, ids.last?.rawValue, name]
            )
        }
        return .done(ids)
    }

    func runNow(_ schedule: ScheduleRecord, _ job: NewJob, now: Instant) throws -> JobID {
        try JobInsertion(db, now: now, skipsDuplicates: false).insert(job)
        let id = JobID(db.lastInsertedRowID)
        try db.execute(
            sql: "UPDATE schedules SET last_job_id = ?, last_error = NULL WHERE name = ?",
            arguments: [id.rawValue, schedule.name]
        )
        return id
    }

    /// The job of the last run, if it has not been sent yet.
    private func waiting(_ schedule: ScheduleRecord) throws -> JobID? {
        guard let last = schedule.lastJob else { return nil }
        let state = try String.fetchOne(db, sql: "SELECT state FROM jobs WHERE id = ?", arguments: [last.rawValue])
        return state == JobState.queued.rawValue ? last : nil
    }

    private func move(_ name: String, to next: Instant?) throws {
        try db.execute(
            sql: "UPDATE schedules SET next_run_at = ? WHERE name = ?",
            arguments: [next?.milliseconds, name]
        )
    }

    private func note(_ error: String?, _ name: String) throws {
        try db.execute(
            sql: "UPDATE schedules SET last_error = ? WHERE name = ? AND last_error IS NOT ?",
            arguments: [error, name, error]
        )
    }
}

extension ScheduleRecord {
    init(row: Row) throws {
        var job = NewJob(prompt: row["prompt"], model: row["model"], input: row["input"], queue: row["queue"])
        job.priority = row["priority"]
        job.batch = row["batch"]
        job.labels = row["labels"]
        job.maxAttempts = row["max_attempts"]
        job.allowsUnknownFields = row["allow_unknown"]
        self.init(
            name: row["name"],
            cron: row["cron"],
            timeZone: row["time_zone"],
            job: job,
            createdAt: Instant(milliseconds: row["created_at"])
        )
        limit = (row["limit_millicredits"] as Int64?).map(Credits.init(millicredits:))
        let policy: String = row["catch_up"]
        catchUp = CatchUp(rawValue: policy) ?? .one
        isEnabled = row["enabled"]
        nextRunAt = row.instant("next_run_at")
        lastRunAt = row.instant("last_run_at")
        lastJob = (row["last_job_id"] as Int64?).map { JobID($0) }
        lastError = row["last_error"]
    }
}

extension SQLiteLedger: ScheduleStore {
    package func enabledSchedules() async throws(LedgerError) -> [ScheduleRecord] {
        try await LedgerError.wrapping {
            try await self.pool.read { try ScheduleRows(db: $0).all(onlyEnabled: true) }
        }
    }

    package func take(_ step: ScheduleStep, now: Instant) async throws(LedgerError) -> ScheduleOutcome {
        try await commits.commit { try ScheduleRows(db: $0).take(step, now: now) }
    }
}

extension SQLiteLedger {
    package func currentPrices() async throws(LedgerError) -> PriceBook {
        try await LedgerError.wrapping { try await self.pool.read { try QueueFile.priceBook($0) } }
    }
}

extension QueueFile {
    package func schedules() throws(LedgerError) -> [ScheduleRecord] {
        try read { try ScheduleRows(db: $0).all(onlyEnabled: false) }
    }

    package func add(_ schedule: ScheduleRecord, replaces: Bool) throws(LedgerError) {
        try write { db in
            let exists = "SELECT EXISTS (SELECT 1 FROM schedules WHERE name = ?)"
            if try Bool.fetchOne(db, sql: exists, arguments: [schedule.name]) ?? false {
                guard replaces else {
                    throw LedgerError(.constraint, "there is a schedule \"\(schedule.name)\" already")
                }
                try db.execute(sql: "DELETE FROM schedules WHERE name = ?", arguments: [schedule.name])
            }
            try ScheduleRows(db: db).insert(schedule)
        }
    }

    package func setEnabled(_ isEnabled: Bool, schedule: String) throws(LedgerError) -> Bool {
        try write { db in
            try db.execute(sql: "UPDATE schedules SET enabled = ? WHERE name = ?", arguments: [isEnabled, schedule])
            return db.changesCount > 0
        }
    }

    package func removeSchedule(_ name: String) throws(LedgerError) -> Bool {
        try write { db in
            try db.execute(sql: "DELETE FROM schedules WHERE name = ?", arguments: [name])
            return db.changesCount > 0
        }
    }

    package func runNow(_ schedule: ScheduleRecord, _ job: NewJob, now: Instant) throws(LedgerError) -> JobID {
        try write { try ScheduleRows(db: $0).runNow(schedule, job, now: now) }
    }
}
