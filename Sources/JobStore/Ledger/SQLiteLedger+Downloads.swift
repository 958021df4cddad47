import GRDB
package import PromptQueue

extension SQLiteLedger {
    package func unwanted(_ results: [ResultID]) async throws(LedgerError) -> [ResultID] {
        try await LedgerError.wrapping {
            try await self.pool.read { db in
                let isWanted = try db.cachedStatement(
                    sql: """
                        SELECT EXISTS (SELECT 1 FROM results AS r JOIN jobs AS j ON j.id = r.job_id
                            WHERE r.job_id = ? AND r.ordinal = ? AND r.state = 'pending' AND j.state = 'running')
                        """
                )
                return try results.filter { result in
                    let arguments: StatementArguments = [result.job.rawValue, result.ordinal]
                    return try Bool.fetchOne(isWanted, arguments: arguments) == false
                }
            }
        }
    }
}

extension RecordWork {
    /// A file that nobody waits for any more is not taken: its job was cancelled, or is gone.
    func saved(_ result: ResultID, _ file: SavedFile) throws -> CommitResult {
        let changed = try run(
            """
            UPDATE results SET state = 'saved', path = ?, content_type = ?, bytes = ?, sha256 = ?, saved_at = ?,
                error_message = NULL
            WHERE job_id = ? AND ordinal = ? AND state = 'pending'
            """,
            [
                file.path, file.contentType, file.bytes, file.sha256, now.milliseconds, result.job.rawValue,
                result.ordinal,
            ]
        )
        var recorded = CommitResult(job: try conclude(result.job))
        recorded.feedsOthers = try feedsOthers(recorded.job)
        if changed == 0 { recorded.isUnwanted = try !isSaved(result, file) }
        return recorded
    }

    /// Whether a job has succeeded and others take its results.
    func feedsOthers(_ job: RecordedJob?) throws -> Bool {
        guard let job, job.state == .succeeded else { return false }
        let statement = try db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM job_inputs WHERE source_id = ?)")
        return try Bool.fetchOne(statement, arguments: [job.id.rawValue]) ?? false
    }

    /// Whether it was recorded before.
    private func isSaved(_ result: ResultID, _ file: SavedFile) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (SELECT 1 FROM results
                        WHERE job_id = ? AND ordinal = ? AND state = 'saved' AND path = ?)
                    """
            ),
            arguments: [result.job.rawValue, result.ordinal, file.path]
        ) ?? false
    }

    func delayed(_ result: ResultID, _ message: String) throws -> CommitResult {
        try run(
            "UPDATE results SET error_message = ? WHERE job_id = ? AND ordinal = ? AND state = 'pending'",
            [message, result.job.rawValue, result.ordinal]
        )
        return CommitResult()
    }

    func lost(_ result: ResultID, _ message: String) throws -> CommitResult {
        try run(
            "UPDATE results SET state = 'failed', error_message = ? WHERE job_id = ? AND ordinal = ? AND state = 'pending'",
            [message, result.job.rawValue, result.ordinal]
        )
        return CommitResult(job: try conclude(result.job))
    }
}
