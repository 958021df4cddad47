import GRDB
package import PromptQueue

extension SQLiteLedger: HintSource {
    package func hintTarget(token: AttemptToken) async throws(LedgerError) -> HintTarget? {
        try await LedgerError.wrapping {
            try await self.pool.read { db in
                try Row
                    .fetchOne(
                        db.cachedStatement(
                            sql: """
                                SELECT a.id, a.account, a.job_id, a.queue, j.batch, a.state,
                                    a.finished_at IS NULL AND NOT \(Self.isAside) AS is_open,
                                    a.task_id, a.model,
                                    coalesce(a.profile, '') AS profile,
                                    coalesce(a.answered_at, a.sent_at) AS since,
                                    coalesce(j.attempt_count, 1) AS attempt_count,
                                    coalesce(j.max_attempts, 1) AS max_attempts,
                                    j.prompt, a.hinted_task_id, a.hint_changes
                                FROM attempts AS a LEFT JOIN jobs AS j ON j.id = a.job_id
                                WHERE a.token = ?
                                """
                        ),
                        arguments: [token.rawValue]
                    )
                    .flatMap(HintTarget.init(row:))
            }
        }
    }

    package func noteHint(_ attempt: AttemptID, task: TaskID) async throws(LedgerError) {
        try await commits.commit { db in
            try db.cachedStatement(
                sql: """
                    UPDATE attempts SET hinted_task_id = ?1, hint_changes = hint_changes + 1
                    WHERE id = ?2 AND finished_at IS NULL AND state IN ('sending', 'unknown')
                        AND hinted_task_id IS NOT ?1 AND hint_changes < ?3
                    """
            )
            .execute(arguments: [task.rawValue, attempt.rawValue, HintTarget.maximumChanges])
        }
    }
}

extension HintTarget {
    fileprivate init?(row: Row) {
        guard let state = AttemptState(rawValue: row["state"]) else { return nil }
        let task: String? = row["task_id"]
        let hinted: String? = row["hinted_task_id"]
        self.init(
            account: AccountName(stored: row["account"]),
            attempt: AttemptID(row["id"]),
            job: JobID(row["job_id"]),
            origin: JobOrigin(row: row),
            state: state,
            isOpen: row["is_open"],
            task: task.map(TaskID.init),
            model: row["model"],
            since: Instant(milliseconds: row["since"]),
            attemptCount: row["attempt_count"],
            maxAttempts: row["max_attempts"],
            profile: row["profile"],
            prompt: row["prompt"],
            hinted: hinted.map(TaskID.init),
            hintChanges: row["hint_changes"]
        )
    }
}

extension RecordWork {
    /// The task that a callback named for a request, and that the provider has not denied. A refusal that is recorded
    /// late finds its request `unknown`.
    func namedTask(of attempt: AttemptID) throws -> TaskID? {
        try String.fetchOne(
            db.cachedStatement(
                sql: "SELECT hinted_task_id FROM attempts WHERE id = ? AND state IN ('sending', 'unknown')"
            ),
            arguments: [attempt.rawValue]
        )
        .map(TaskID.init)
    }

    /// What the ledger holds against an acceptance that changed nothing; nil if it is simply recorded already.
    func refusal(of attempt: AttemptID, _ task: TaskID) throws -> AcceptanceRefusal? {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT a.job_id, a.queue, j.batch, a.task_id, a.model, coalesce(a.profile, '') AS profile, a.answered_at, a.state = 'accepted' AS is_accepted,
                        a.finished_at IS NULL AS is_open, coalesce(j.attempt_count, 1) AS attempt_count,
                        coalesce(j.max_attempts, 1) AS max_attempts
                    FROM attempts AS a LEFT JOIN jobs AS j ON j.id = a.job_id
                    WHERE a.id = ?
                    """
            ),
            arguments: [attempt.rawValue]
        )
        guard let row, row["is_accepted"], let known: String = row["task_id"] else { return AcceptanceRefusal() }
        guard known != task.rawValue else { return nil }
        guard row["is_open"] else { return AcceptanceRefusal() }
        return AcceptanceRefusal(
            instead: OpenTask(
                attempt: attempt,
                job: JobID(row["job_id"]),
                origin: JobOrigin(row: row),
                task: TaskID(known),
                model: row["model"],
                acceptedAt: Instant(milliseconds: row["answered_at"]),
                attemptCount: row["attempt_count"],
                maxAttempts: row["max_attempts"],
                profile: row["profile"]
            )
        )
    }
}
