import Postgres
package import PromptQueue

extension PostgresLedger {
    /// Jobs that have ended, of which the provider works on nothing any more, and nothing is taken from by a job that has not ended.
    static let ended = """
        jobs.state IN ('succeeded', 'failed', 'cancelled') AND jobs.pruned_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = jobs.id AND a.finished_at IS NULL)
            AND NOT EXISTS (SELECT 1 FROM job_inputs AS i JOIN jobs AS f ON f.id = i.job_id
                WHERE i.source_id = jobs.id AND f.state NOT IN ('succeeded', 'failed', 'cancelled'))
        """

    /// The next ones to go, with what a filter asks for, those that are left out, and how many at most. What somebody else is changing is
    /// left for the next step.
    static let pruned = """
        SELECT jobs.id FROM jobs WHERE \(ended) AND \(JobCondition.sql) AND jobs.id <> ALL ($11)
        ORDER BY jobs.finished_at LIMIT $12 FOR NO KEY UPDATE OF jobs SKIP LOCKED
        """

    package func hasPrunable(_ filter: JobFilter) async throws(LedgerError) -> Bool {
        let rows = try await read(
            SQL(pasted: "SELECT EXISTS (SELECT 1 FROM jobs WHERE \(Self.ended) AND \(JobCondition.sql))"),
            JobCondition.arguments(filter)
        )
        return try LedgerError.wrapping { try rows.only()[0] }
    }

    package func prune(_ request: PruneRequest, now: Instant) async throws(LedgerError) -> Pruned {
        let rows = try await change { transaction in
            let found = try await transaction.query(
                SQL(pasted: Self.pruned),
                JobCondition.arguments(request.filter) + [
                    .ints(request.excluded.map(\.rawValue).sorted().map { $0 }), .int(Int64(request.limit)),
                ]
            )
            return try await transaction.query(
                "SELECT job_id, files, problem FROM prune_jobs($1, $2)",
                [.ints(try found.map { try $0[0] }), .bool(request.removesFiles)]
            )
        }
        return try LedgerError.wrapping { try Pruned(rows: rows) }
    }

    package func removals(after path: String, limit: Int) async throws(LedgerError) -> [Removal] {
        let rows = try await read(Removal.next, [.text(path), .int(Int64(limit))])
        return try LedgerError.wrapping { try rows.map(Removal.init(row:)) }
    }

    package func removed(_ removals: [Removal]) async throws(LedgerError) {
        try await change { transaction in
            _ = try await transaction.query(Removal.deletion, Removal.arguments(removals))
        }
    }

    /// PostgreSQL gives its files' room back by itself (VACUUM).
    package func shrink(pages: Int) async throws(LedgerError) -> Int { 0 }
}

extension Pruned {
    /// From `prune_jobs`.
    init(rows: PostgresRows) throws {
        self.init()
        for row in rows {
            if let problem = try row[2] as String? {
                kept[JobID(try row[0])] = problem
            } else {
                self += Pruned(jobs: 1, files: try row[1])
            }
        }
    }
}

extension Removal {
    /// Those behind a path, and how many at most.
    static let next: SQL = """
        SELECT job_id, path FROM removals
        WHERE path > $1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = removals.job_id AND pruned_at IS NULL)
        ORDER BY path LIMIT $2
        """
    static let deletion: SQL = """
        DELETE FROM removals AS r USING unnest($1::text[], $2::bigint[]) AS g (path, job) WHERE r.path = g.path AND r.job_id = g.job
        """

    static func arguments(_ removals: [Removal]) -> [PostgresValue] {
        [.texts(removals.map(\.path)), .ints(removals.map(\.job.rawValue))]
    }

    /// From `next`.
    init(row: PostgresRow) throws { self.init(job: JobID(try row[0]), path: try row[1]) }
}
