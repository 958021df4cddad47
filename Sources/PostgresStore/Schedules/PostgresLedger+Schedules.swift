import Postgres
package import PromptQueue

// The instants of runs are not translated from one clock to another: they are what the clock on the wall shows, the keys of their
// jobs bear them, and every daemon must read the same.
extension PostgresLedger: ScheduleStore {
    package func enabledSchedules() async throws(LedgerError) -> [ScheduleRecord] {
        let rows = try await read(
            SQL(pasted: "SELECT \(ScheduleRecord.columns) FROM schedules WHERE enabled = 1 ORDER BY name")
        )
        return try LedgerError.wrapping { try rows.map(ScheduleRecord.init(row:)) }
    }

    package func take(_ step: ScheduleStep, now: Instant) async throws(LedgerError) -> ScheduleOutcome {
        try await change { [self] transaction in
            try await ScheduleTransaction(transaction, step).take(clock: clockShift(transaction, now))
        }
    }

    package func currentPrices() async throws(LedgerError) -> PriceBook {
        try await LedgerError.wrapping {
            try PriceRows.book(await reads.connection().pipeline { PriceRows.ask(&$0) }[...])
        }
    }
}

/// One step of a schedule. Its row is held meanwhile: of two daemons one comes first, and the other finds another schedule.
private struct ScheduleTransaction {
    private let transaction: PostgresTransaction
    private let step: ScheduleStep
    private var name: String { step.schedule.name }

    init(_ transaction: PostgresTransaction, _ step: ScheduleStep) {
        self.transaction = transaction
        self.step = step
    }

    func take(clock: ServerClock) async throws -> ScheduleOutcome {
        let rows = try await transaction.pipeline { pipeline in
            // Whoever holds it changes it, or runs it.
            pipeline.add(
                SQL(
                    pasted: """
                        SELECT \(ScheduleRecord.columns) FROM schedules WHERE name = $1 AND enabled = 1
                        FOR NO KEY UPDATE SKIP LOCKED
                        """
                ),
                [.text(name)]
            )
            pipeline.add("SELECT restored_at IS NOT NULL OR is_copy = 1 FROM store")
            pipeline.add(
                "SELECT 1 FROM jobs WHERE id = $1 AND state = 'queued'",
                [.int(step.schedule.lastJob?.rawValue)]
            )
        }
        guard let row = rows[0].first, try ScheduleRecord(row: row).isSame(as: step.schedule) else { return .changed }
        if try rows[1].only()[0] {
            try await note(lastRun: nil, job: nil, error: nil, keepsError: true)
            return .held
        }
        if step.waitsForLast, !step.jobs.isEmpty, let last = step.schedule.lastJob, !rows[2].isEmpty {
            try await note(lastRun: nil, job: nil, error: LedgerMessages.lastStillWaits(last))
            return .waits(last)
        }
        let ids = try await insert(clock)
        try await note(
            lastRun: step.lastRun,
            job: step.lastRun == nil ? nil : ids.last,
            error: step.error.map(BoundedText.message)
        )
        return .done(ids)
    }

    /// The jobs of the step; those that there are already are left as they are.
    private func insert(_ clock: ServerClock) async throws -> [JobID] {
        guard !step.jobs.isEmpty else { return [] }
        let rows = try await transaction.pipeline { pipeline in
            for job in step.jobs {
                pipeline.add(
                    """
                    INSERT INTO jobs (prompt, model, input, queue, priority, run_at, unique_key, batch, labels, max_attempts,
                        estimated_millicredits, estimate_basis, allow_unknown)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                    ON CONFLICT (unique_key) DO NOTHING RETURNING id
                    """,
                    [
                        .text(job.prompt), .text(job.model), .text(job.input), .text(job.queue), .int(job.priority),
                        .int(job.runAt.map(clock.server) ?? 0), .text(job.uniqueKey), .text(job.batch),
                        .text(job.labels), .int(Int64(job.maxAttempts)), .int(job.estimate?.credits.millicredits),
                        .text(job.estimate?.kind.rawValue), .int(job.allowsUnknownFields ? 1 : 0),
                    ]
                )
            }
        }
        return try rows.compactMap { try $0.first.map { JobID(try $0[0]) } }
    }

    private func note(lastRun: Instant?, job: JobID?, error: String?, keepsError: Bool = false) async throws {
        _ = try await transaction.query(
            """
            UPDATE schedules SET next_run_at = $2, last_run_at = coalesce($3, last_run_at),
                last_job_id = coalesce($4, last_job_id), last_error = CASE WHEN $6 THEN last_error ELSE $5 END
            WHERE name = $1
            """,
            [
                .text(name), .int(step.next?.milliseconds), .int(lastRun?.milliseconds), .int(job?.rawValue),
                .text(error), .bool(keepsError),
            ]
        )
    }
}

extension ScheduleRecord {
    static let columns = """
        name, cron, time_zone, prompt, model, input::text, queue, priority, batch, labels::text, max_attempts, allow_unknown,
            limit_millicredits, catch_up, enabled, created_at, next_run_at, last_run_at, last_job_id, last_error
        """

    /// From `columns`.
    init(row: PostgresRow) throws {
        var job = NewJob(prompt: try row[3], model: try row[4], input: try row[5], queue: try row[6])
        job.priority = try row[7]
        job.batch = try row[8]
        job.labels = try row[9]
        job.maxAttempts = try row[10]
        job.allowsUnknownFields = try (row[11] as Int64) != 0
        self.init(
            name: try row[0],
            cron: try row[1],
            timeZone: try row[2],
            job: job,
            createdAt: Instant(milliseconds: try row[15])
        )
        func instant(_ column: Int) throws -> Instant? { try (row[column] as Int64?).map(Instant.init(milliseconds:)) }
        limit = try (row[12] as Int64?).map(Credits.init(millicredits:))
        catchUp = CatchUp(rawValue: try row[13]) ?? .one
        isEnabled = try (row[14] as Int64) != 0
        nextRunAt = try instant(16)
        lastRunAt = try instant(17)
        lastJob = try (row[18] as Int64?).map { JobID($0) }
        lastError = try row[19]
    }
}
