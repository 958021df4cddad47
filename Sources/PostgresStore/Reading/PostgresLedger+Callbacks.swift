import Postgres
package import PromptQueue

extension PostgresLedger: HintSource {
    package func hintTarget(token: AttemptToken) async throws(LedgerError) -> HintTarget? {
        try await hintTarget(.text(token.rawValue), .null)
    }

    /// As `hintTarget(token:)`.
    func hintTarget(of attempt: AttemptID) async throws(LedgerError) -> HintTarget? {
        try await hintTarget(.null, .int(attempt.rawValue))
    }

    private func hintTarget(_ token: PostgresValue, _ attempt: PostgresValue) async throws(LedgerError) -> HintTarget? {
        let rows = try await read(
            """
            SELECT a.account, a.id, a.job_id, a.queue, j.batch, a.state, a.finished_at IS NULL AND NOT is_aside(a.id), a.task_id,
                a.model, coalesce(a.answered_at, a.sent_at), coalesce(j.attempt_count, 1), coalesce(j.max_attempts, 1), a.profile,
                j.prompt, a.hinted_task_id, a.hint_changes, CASE WHEN a.keeper <> $3 AND is_kept(a.keeper) THEN a.keeper END
            FROM attempts AS a LEFT JOIN jobs AS j ON j.id = a.job_id
            WHERE a.id = coalesce($2::bigint, (SELECT t.id FROM attempts AS t WHERE t.token = $1::text))
            """,
            [token, attempt, .int(epoch.rawValue)]
        )
        return try LedgerError.wrapping {
            guard let row = rows.first, let state = AttemptState(rawValue: try row[5]) else { return nil }
            return HintTarget(
                account: AccountName(stored: try row[0]),
                attempt: AttemptID(try row[1]),
                job: JobID(try row[2]),
                origin: JobOrigin(queue: try row[3], batch: try row[4]),
                state: state,
                isOpen: try row[6],
                task: try (row[7] as String?).map(TaskID.init),
                model: try row[8],
                since: Instant(milliseconds: try row[9]),
                attemptCount: try row[10],
                maxAttempts: try row[11],
                profile: try row[12],
                prompt: try row[13],
                hinted: try (row[14] as String?).map(TaskID.init),
                hintChanges: try row[15],
                keeper: try row[16]
            )
        }
    }

    package func noteHint(_ attempt: AttemptID, task: TaskID) async throws(LedgerError) {
        try await change { transaction in
            _ = try await transaction.query(
                """
                UPDATE attempts SET hinted_task_id = $2, hint_changes = hint_changes + 1
                WHERE id = $1 AND finished_at IS NULL AND state IN ('sending', 'unknown')
                    AND hinted_task_id IS DISTINCT FROM $2 AND hint_changes < $3
                """,
                [.int(attempt.rawValue), .text(task.rawValue), .int(Int64(HintTarget.maximumChanges))]
            )
        }
    }
}
