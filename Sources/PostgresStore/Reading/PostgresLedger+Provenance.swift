import Postgres
package import PromptQueue

extension PostgresLedger: ProvenanceSource {
    package func provenance(of job: JobID) async throws(LedgerError) -> JobProvenance? {
        let rows = try await LedgerError.wrapping {
            try await self.reads.connection().pipeline { pipeline in
                pipeline.add(
                    """
                    SELECT queue, model, prompt, input::text, batch, labels::text, unique_key, task_id, estimated_millicredits,
                        charged_millicredits, created_at, submitted_at,
                        (SELECT max(a.finished_at) FROM attempts AS a WHERE a.job_id = jobs.id AND a.state = 'accepted'),
                        (SELECT a.input FROM attempts AS a WHERE a.job_id = jobs.id AND a.state = 'accepted'
                            ORDER BY a.id DESC LIMIT 1)
                    FROM jobs WHERE id = $1
                    """,
                    [.int(job.rawValue)]
                )
                pipeline.add(
                    """
                    SELECT ordinal, role, url, state = 'saved', path, content_type, bytes, sha256 FROM results
                    WHERE job_id = $1 ORDER BY ordinal
                    """,
                    [.int(job.rawValue)]
                )
            }
        }
        return try LedgerError.wrapping {
            try rows[0].first.map { row in
                JobProvenance(
                    job: QueuedJob(
                        id: job,
                        queue: try row[0],
                        model: try row[1],
                        prompt: try row[2],
                        input: try row[3]
                    ),
                    sent: try row[13],
                    batch: try row[4],
                    labels: try row[5],
                    uniqueKey: try row[6],
                    task: try row[7],
                    estimated: try (row[8] as Int64?).map(Credits.init(millicredits:)),
                    charged: try (row[9] as Int64?).map(Credits.init(millicredits:)),
                    createdAt: Instant(milliseconds: try row[10]),
                    submittedAt: try (row[11] as Int64?).map(Instant.init(milliseconds:)),
                    taskFinishedAt: try (row[12] as Int64?).map(Instant.init(milliseconds:)),
                    results: try rows[1].map(JobProvenance.Result.init(row:))
                )
            }
        }
    }
}

extension JobProvenance.Result {
    fileprivate init(row: PostgresRow) throws {
        var file: SavedFile?
        if try row[3] {
            let type: String? = try row[5]
            file = SavedFile(
                path: try row[4],
                contentType: type ?? "application/octet-stream",
                bytes: try row[6],
                sha256: try row[7]
            )
        }
        self.init(ordinal: try row[0], role: try row[1], url: try row[2], file: file)
    }
}
