import GRDB
package import PromptQueue

extension SQLiteLedger: ProvenanceSource {
    package func provenance(of job: JobID) async throws(LedgerError) -> JobProvenance? {
        try await LedgerError.wrapping {
            try await self.pool.read { db in
                guard let row = try Self.jobRow(db, job) else { return nil }
                return JobProvenance(
                    job: QueuedJob(
                        id: job,
                        queue: row["queue"],
                        model: row["model"],
                        prompt: row["prompt"],
                        input: row["input"]
                    ),
                    sent: row["sent"],
                    batch: row["batch"],
                    labels: row["labels"],
                    uniqueKey: row["unique_key"],
                    task: row["task_id"],
                    estimated: (row["estimated_millicredits"] as Int64?).map(Credits.init(millicredits:)),
                    charged: (row["charged_millicredits"] as Int64?).map(Credits.init(millicredits:)),
                    createdAt: Instant(milliseconds: row["created_at"]),
                    submittedAt: (row["submitted_at"] as Int64?).map(Instant.init(milliseconds:)),
                    taskFinishedAt: (row["task_finished_at"] as Int64?).map(Instant.init(milliseconds:)),
                    results: try Self.resultsOf(db, job)
                )
            }
        }
    }

    private static func jobRow(_ db: Database, _ job: JobID) throws -> Row? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT queue, model, prompt, input, batch, labels, unique_key, task_id, estimated_millicredits,
                        charged_millicredits, created_at, submitted_at,
                        (SELECT max(finished_at) FROM attempts
                        WHERE job_id = jobs.id AND state = 'accepted') AS task_finished_at,
                        (SELECT input FROM attempts
                        WHERE job_id = jobs.id AND state = 'accepted' ORDER BY id DESC LIMIT 1) AS sent
                    FROM jobs WHERE id = ?
                    """
            ),
            arguments: [job.rawValue]
        )
    }

    private static func resultsOf(_ db: Database, _ job: JobID) throws -> [JobProvenance.Result] {
        try Row
            .fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT ordinal, role, url, state, path, content_type, bytes, sha256 FROM results
                        WHERE job_id = ? ORDER BY ordinal
                        """
                ),
                arguments: [job.rawValue]
            )
            .map { row in
                let isSaved = (row["state"] as String) == ResultState.saved.rawValue
                return JobProvenance.Result(
                    ordinal: row["ordinal"],
                    role: row["role"],
                    url: row["url"],
                    file: isSaved
                        ? SavedFile(
                            path: row["path"],
                            contentType: row["content_type"] ?? "application/octet-stream",
                            bytes: row["bytes"],
                            sha256: row["sha256"]
                        ) : nil
                )
            }
    }
}
