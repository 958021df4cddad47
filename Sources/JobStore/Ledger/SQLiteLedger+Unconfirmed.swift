import GRDB
import PromptQueue

extension SQLiteLedger {
    /// The requests whose answer was lost and that nobody has settled.
    static func unknownAttempts(_ account: AccountName, _ db: Database) throws -> [UnknownAttempt] {
        try Row
            .fetchAll(
                db,
                sql: """
                    SELECT a.id, a.job_id, a.queue, j.batch, a.answered_at, a.model, a.profile, j.prompt,
                        CASE WHEN NOT \(isAside) THEN a.hinted_task_id END AS hinted_task_id,
                        coalesce(j.attempt_count, 1) AS attempt_count, coalesce(j.max_attempts, 1) AS max_attempts
                    FROM attempts AS a LEFT JOIN jobs AS j ON j.id = a.job_id
                    WHERE a.finished_at IS NULL AND a.state = 'unknown' AND a.account = ?
                    ORDER BY a.id
                    """,
                arguments: [account.rawValue]
            )
            .map { row in
                let hinted: String? = row["hinted_task_id"]
                let lostAt = Instant(milliseconds: row["answered_at"])
                return UnknownAttempt(
                    attempt: AttemptID(row["id"]),
                    job: JobID(row["job_id"]),
                    origin: JobOrigin(row: row),
                    lostAt: lostAt,
                    hinted: hinted.map { task in
                        OpenTask(
                            attempt: AttemptID(row["id"]),
                            job: JobID(row["job_id"]),
                            origin: JobOrigin(row: row),
                            task: TaskID(task),
                            model: row["model"],
                            acceptedAt: lostAt,
                            attemptCount: row["attempt_count"],
                            maxAttempts: row["max_attempts"],
                            profile: row["profile"],
                            prompt: row["prompt"]
                        )
                    }
                )
            }
    }
}

extension RecordWork {
    // MARK: - Giving up

    /// Books a lost request as spent, because it may have been, and lets its job go on if it still waits for news.
    func gaveUp(_ attempt: AttemptID) throws -> CommitResult {
        guard let job = try job(of: attempt), job.state == .unconfirmed else {
            return CommitResult(job: try job(of: attempt))
        }
        guard try settlement.presumed(attempt) != nil else { return CommitResult(job: job) }
        let mayRetry = try hasAttemptsLeft(job.id)
        let settled = try settle(
            job.id,
            Failure(.answerLost, LedgerMessages.presumedSpent(mayRetry: mayRetry)),
            mayRetry ? .retry(at: now, counted: true) : .fail
        )
        var recorded = CommitResult(job: settled)
        recorded.settled = [
            SettledUnknown(attempt: attempt, job: settled, origin: try JobOrigin.read(job.id, db), evidence: nil)
        ]
        return recorded
    }

    /// Forgets a task that a callback named: the provider says that it is not this request's.
    func hintRefuted(_ attempt: AttemptID, _ task: TaskID) throws -> CommitResult {
        try run(
            """
            UPDATE attempts SET hinted_task_id = NULL
            WHERE id = ? AND hinted_task_id = ? AND finished_at IS NULL AND state = 'unknown'
            """,
            [attempt.rawValue, task.rawValue]
        )
        return CommitResult(job: try job(of: attempt))
    }

    // MARK: - Evidence

    /// Looks whether two readings of the balance tell if the requests between them whose answer was lost were charged.
    ///
    /// - Parameter settles: whether those that cost nothing are settled by it; otherwise it is only noted.
    func examineUnknown(
        from before: AccountReading,
        to after: AccountReading,
        settles: Bool
    ) throws -> [SettledUnknown] {
        guard after.isSettled, after.topUps == before.topUps,
            let evidence = Evidence(
                from: before,
                to: after,
                try requests(after: before.lastAttempt, upTo: after.lastAttempt)
            ), try isTrustworthy(before)
        else { return [] }
        let text = try evidence.text(before, after, time: time)
        return try evidence.lost.compactMap {
            try settle($0, text, wasCharged: evidence.wasCharged, settles: settles)
        }
    }

    private func requests(after first: Int64, upTo last: Int64) throws -> [Evidence.Request] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT id, state, finished_at, reserved_millicredits, charged_millicredits, charge_reported
                    FROM attempts WHERE id > ? AND id <= ? AND account = ? ORDER BY id LIMIT ?
                    """
            ),
            arguments: [first, last, account.rawValue, Evidence.maximumRequests + 1]
        )
        .map { row in
            Evidence.Request(
                attempt: AttemptID(row["id"]),
                // A state that is not known proves nothing.
                state: AttemptState(rawValue: row["state"]) ?? .sending,
                isFinished: row.instant("finished_at") != nil,
                reserved: row.credits("reserved_millicredits") ?? .zero,
                charged: row.credits("charged_millicredits"),
                isChargeReported: (row["charge_reported"] as Bool?) ?? false
            )
        }
    }

    /// Whether nothing from before a reading may move the balance after it: no refund that is still to come, and nobody
    /// else who uses the account.
    private func isTrustworthy(_ before: AccountReading) throws -> Bool {
        let hasRefunds = try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (SELECT 1 FROM attempts
                        WHERE state = 'accepted' AND error_code IS NOT NULL AND finished_at IS NOT NULL
                            AND finished_at > ? AND id <= ? AND account = ?)
                    """
            ),
            arguments: [
                (before.askedAt - Evidence.refundTime).milliseconds, before.lastAttempt, account.rawValue,
            ]
        )
        guard hasRefunds == false else { return false }
        let old = try AccountReading.firstSettled(account, db, since: before.askedAt - Evidence.trustTime)
        return Evidence.isAgreed(before, since: old)
    }

    private func time(_ instant: Instant) throws -> String {
        try String.fetchOne(
            db.cachedStatement(sql: "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', ? / 1000, 'unixepoch')"),
            arguments: [instant.milliseconds]
        ) ?? "?"
    }

    /// Writes the evidence down. Where it shows that nothing was charged, and that is to be acted on, the job may be sent
    /// again, unless a callback named a task of which the provider has not said whose it is.
    private func settle(
        _ attempt: AttemptID,
        _ evidence: String,
        wasCharged: Bool,
        settles: Bool
    ) throws -> SettledUnknown? {
        try run(
            "UPDATE attempts SET evidence = ?, evidence_charged = ? WHERE id = ?",
            [BoundedText.message(evidence), wasCharged, attempt.rawValue]
        )
        guard settles, !wasCharged else { return nil }
        let failure = Failure(.answerLost, LedgerMessages.costNothing)
        guard try settlement.withoutTask(attempt, failure, keepsCode: true) != nil else { return nil }
        guard var job = try job(of: attempt) else {
            return SettledUnknown(attempt: attempt, job: nil, evidence: evidence)
        }
        if job.state == .unconfirmed {
            job = try settle(job.id, failure, .retry(at: now, counted: false))
        }
        return SettledUnknown(
            attempt: attempt,
            job: job,
            origin: try JobOrigin.read(job.id, db),
            evidence: evidence
        )
    }
}
