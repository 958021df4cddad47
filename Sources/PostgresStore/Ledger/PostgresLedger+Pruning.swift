import Postgres
package import PromptQueue

extension PostgresLedger {
    /// Jobs that have ended, of which the provider works on nothing any more, and nothing is taken from by a job that has not ended.
    private static let prunable = """
        jobs.state IN ('succeeded', 'failed', 'cancelled') AND jobs.pruned_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = jobs.id AND a.finished_at IS NULL)
            AND NOT EXISTS (SELECT 1 FROM job_inputs AS i JOIN jobs AS f ON f.id = i.job_id
                WHERE i.source_id = jobs.id AND f.state NOT IN ('succeeded', 'failed', 'cancelled'))
            AND \(JobCondition.sql)
        """

    package func hasPrunable(_ filter: JobFilter) async throws(LedgerError) -> Bool {
        let rows = try await read(
            SQL(pasted: "SELECT EXISTS (SELECT 1 FROM jobs WHERE \(Self.prunable))"),
            JobCondition.arguments(filter)
        )
        return try LedgerError.wrapping { try rows.only()[0] }
    }

    package func prune(_ request: PruneRequest, now: Instant) async throws(LedgerError) -> Pruned {
        let rows = try await change { transaction in
            let found = try await transaction.query(
                SQL(
                    pasted: """
                        SELECT jobs.id FROM jobs WHERE \(Self.prunable) AND jobs.id <> ALL ($11)
                        ORDER BY jobs.finished_at LIMIT $12 FOR NO KEY UPDATE OF jobs SKIP LOCKED
                        """
                ),
                JobCondition.arguments(request.filter) + [
                    .ints(request.excluded.map(\.rawValue).sorted().map { $0 }), .int(Int64(request.limit)),
                ]
            )
            return try await transaction.query(
                "SELECT job_id, files, problem FROM prune_jobs($1, $2)",
                [.ints(try found.map { try $0[0] }), .bool(request.removesFiles)]
            )
        }
        return try LedgerError.wrapping {
            var pruned = Pruned()
            for row in rows {
                if let problem = try row[2] as String? {
                    pruned.kept[JobID(try row[0])] = problem
                } else {
                    pruned += Pruned(jobs: 1, files: try row[1])
                }
            }
            return pruned
        }
    }

    package func removals(after path: String, limit: Int) async throws(LedgerError) -> [Removal] {
        let rows = try await read(
            """
            SELECT job_id, path FROM removals
            WHERE path > $1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = removals.job_id AND pruned_at IS NULL)
            ORDER BY path LIMIT $2
            """,
            [.text(path), .int(Int64(limit))]
        )
        return try LedgerError.wrapping { try rows.map { Removal(job: JobID(try $0[0]), path: try $0[1]) } }
    }

    package func removed(_ removals: [Removal]) async throws(LedgerError) {
        try await change { transaction in
            _ = try await transaction.query(
                """
                DELETE FROM removals AS r USING unnest($1::text[], $2::bigint[]) AS g (path, job)
                WHERE r.path = g.path AND r.job_id = g.job
                """,
                [.texts(removals.map(\.path)), .ints(removals.map(\.job.rawValue))]
            )
        }
    }

    /// PostgreSQL gives its files' room back by itself (VACUUM).
    package func shrink(pages: Int) async throws(LedgerError) -> Int { 0 }
}
