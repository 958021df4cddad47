import Postgres
import PromptQueue

extension PostgresLedger {
    /// What an account has that nobody works on, and what the engine has to know of its past.
    func recover(_ account: AccountName, now: Instant, rate: RateLimit) async throws(LedgerError) -> Recovery {
        try await change { [self] transaction in
            var recovery = try await adopt(account, transaction, isStart: true)
            let shift = try await clockShift(transaction, now)
            let rows = try await transaction.pipeline { pipeline in
                pipeline.add(
                    """
                    SELECT answered_at FROM attempts
                    WHERE answered_at > fact_time() - $1 AND arrives_until IS NULL AND account = $2 ORDER BY answered_at
                    """,
                    [.int(rate.window.milliseconds), .text(account.rawValue)]
                )
                pipeline.add(
                    """
                    SELECT answered_at FROM attempts
                    WHERE answered_at > fact_time() - $1 AND error_code = $2 AND account = $3 ORDER BY answered_at
                    """,
                    [
                        .int((rate.window * (rate.count + 2)).milliseconds), .text(FailureCode.rateLimited.rawValue),
                        .text(account.rawValue),
                    ]
                )
                pipeline.add(
                    """
                    SELECT CASE WHEN a.shut_until > fact_time() THEN a.shut_until END,
                        EXISTS (SELECT 1 FROM account_readings AS r WHERE r.account = a.name AND r.in_flight = 0)
                    FROM account AS a WHERE a.name = $1
                    """,
                    [.text(account.rawValue)]
                )
                pipeline.add("SELECT model, profile, took_milliseconds FROM completed_tasks()")
            }
            recovery.history = try rows[3].map { row in
                CompletedTask(
                    key: CompletionKey(model: try row[0], profile: try row[1]),
                    took: .milliseconds(try row[2] as Int64)
                )
            }
            recovery.answeredAt = try rows[0].map { shift.local(try $0[0]) }
            recovery.refusedAt = try rows[1].map { shift.local(try $0[0]) }
            if let row = rows[2].first {
                recovery.shutUntil = try (row[0] as Int64?).map(shift.local)
                recovery.hasComparison = try row[1]
            }
            return recovery.shifted(by: shift)
        }
    }

    /// What has been given to this daemon since: others have ended, or producers have taken something up again.
    func takeResumed(_ account: AccountName, now: Instant) async throws(LedgerError) -> Recovery {
        let rows = try await read(
            "SELECT has_orphans($1, $2)",
            [.int(epoch.rawValue), .int(options.grace.milliseconds)]
        )
        let hasOrphans: Bool = try LedgerError.wrapping { try rows.only()[0] }
        guard hasOrphans else { return Recovery() }
        return try await change { [self] transaction in
            let recovery = try await adopt(account, transaction, isStart: false)
            return recovery.shifted(by: try await clockShift(transaction, now))
        }
    }

    /// By how much the server's clock is ahead of this machine's.
    func clockShift(_ transaction: PostgresTransaction, _ now: Instant) async throws -> ServerClock {
        ServerClock(server: try await transaction.query("SELECT now_ms()").only()[0], local: now)
    }

    /// - Parameter isStart: whether everything that this epoch keeps is listed, and not only what is new.
    private func adopt(
        _ account: AccountName,
        _ transaction: PostgresTransaction,
        isStart: Bool
    ) async throws -> Recovery {
        var recovery = Recovery()
        _ = try await transaction.pipeline { pipeline in
            pipeline.add("SELECT lock_claims()")
            pipeline.add(
                "SELECT fence_daemons($1, $2)",
                [.int(epoch.rawValue), .int(options.grace.milliseconds)]
            )
        }
        let found = try await transaction.query(
            "SELECT job_id, why FROM adopt($1, $2, $3, $4, $5)",
            [
                .int(epoch.rawValue), .text(account.rawValue), .int(options.lateArrival.milliseconds),
                .text(FailureCode.answerLost.rawValue), .text(LedgerMessages.endedBeforeAnswer),
            ]
        )
        var jobs: Set<JobID> = []
        var settled: [JobID] = []
        for row in found {
            let job = JobID(try row[0])
            jobs.insert(job)
            switch try row[1] as String {
            case "lost": recovery.lost.append(job)
            case "settled": settled.append(job)
            default: break
            }
        }
        recovery.lost.sort()
        guard isStart || !jobs.isEmpty else { return recovery }
        if !jobs.isEmpty {
            _ = try await transaction.pipeline { [settled, jobs] pipeline in
                for job in settled {
                    pipeline.add(
                        "SELECT record_settled_by_sql($1, $2, $3)",
                        [
                            .int(job.rawValue), .text(FailureCode.settledByOperator.rawValue),
                            .text(LedgerMessages.settledBySQL(job)),
                        ]
                    )
                }
                for job in jobs.sorted() {
                    pipeline.add(
                        "SELECT conclude_saved($1, $2)",
                        [.int(job.rawValue), .text(LedgerMessages.notDownloaded(FactCall.placeholder, of: job))]
                    )
                }
            }
        }
        // NULL: all that this epoch keeps.
        let chosen: PostgresValue = isStart ? .null : .ints(jobs.map(\.rawValue).sorted().map { $0 })
        let arguments: [PostgresValue] = [.int(epoch.rawValue), .text(account.rawValue), chosen]
        let rows = try await transaction.pipeline { pipeline in
            pipeline.add(
                """
                SELECT id, job_id, queue, batch, task_id, model, profile, answered_at, attempt_count, max_attempts, ended_as
                FROM open_tasks($1, $2, $3)
                """,
                arguments
            )
            pipeline.add(
                "SELECT job_id, ordinal, url, content, created_at, queue, batch FROM open_downloads($1, $2, $3)",
                arguments
            )
            pipeline.add(
                """
                SELECT id, job_id, queue, batch, answered_at, model, profile, prompt, hinted_task_id, attempt_count, max_attempts
                FROM open_unknown($1, $2, $3)
                """,
                arguments
            )
        }
        recovery.tasks = try rows[0].map(OpenTask.init(row:))
        recovery.downloads = try rows[1].map(PendingDownload.init(row:))
        recovery.unknown = try rows[2].map(UnknownAttempt.init(row:))
        return recovery
    }
}

extension OpenTask {
    fileprivate init(row: PostgresRow) throws {
        self.init(
            attempt: AttemptID(try row[0]),
            job: JobID(try row[1]),
            origin: JobOrigin(queue: try row[2], batch: try row[3]),
            task: TaskID(try row[4]),
            model: try row[5],
            acceptedAt: Instant(milliseconds: try row[7]),
            attemptCount: try row[8],
            maxAttempts: try row[9],
            profile: try row[6],
            endedAs: try (row[10] as String?).map { FailureCode(rawValue: $0) ?? .taskFailed }
        )
    }
}

extension PendingDownload {
    fileprivate init(row: PostgresRow) throws {
        let url: String? = try row[2]
        let content: String? = try row[3]
        self.init(
            result: ResultID(job: JobID(try row[0]), ordinal: try row[1]),
            output: url.map { .file(url: $0) } ?? .object(json: content ?? ""),
            origin: JobOrigin(queue: try row[5], batch: try row[6]),
            createdAt: Instant(milliseconds: try row[4])
        )
    }
}

extension UnknownAttempt {
    fileprivate init(row: PostgresRow) throws {
        let attempt = AttemptID(try row[0])
        let job = JobID(try row[1])
        let origin = JobOrigin(queue: try row[2], batch: try row[3])
        let lostAt = Instant(milliseconds: try row[4])
        let hinted: String? = try row[8]
        var candidate: OpenTask?
        if let hinted {
            candidate = OpenTask(
                attempt: attempt,
                job: job,
                origin: origin,
                task: TaskID(hinted),
                model: try row[5],
                acceptedAt: lostAt,
                attemptCount: try row[9],
                maxAttempts: try row[10],
                profile: try row[6],
                prompt: try row[7]
            )
        }
        self.init(attempt: attempt, job: job, origin: origin, lostAt: lostAt, hinted: candidate)
    }
}
