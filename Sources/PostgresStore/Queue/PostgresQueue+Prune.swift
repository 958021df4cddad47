import Postgres
package import PromptQueue

extension PostgresQueue: QueuePruner {
    package func prune(_ request: PruneRequest, now: Instant) throws(LedgerError) -> Pruned {
        guard !request.filter.isImpossible else { return Pruned() }
        return try change { connection in
            let ids = try Self.next(request, connection)
            let rows = try connection.query(
                "SELECT job_id, files, problem FROM prune_jobs($1, $2)",
                [.ints(ids), .bool(request.removesFiles)]
            )
            return try Pruned(rows: rows)
        }
    }

    /// The oldest of those that match and can go. What somebody else is changing is left for the next step.
    private static func next(_ request: PruneRequest, _ connection: BlockingConnection) throws -> [Int64] {
        guard request.filter.words.isEmpty else {
            let jobs = try MatchingJobs.ids(request.filter, connection, and: PostgresLedger.ended, isLocking: true)
            return Array(jobs.filter { !request.excluded.contains($0) }.map(\.rawValue).prefix(request.limit))
        }
        return try connection.query(
            SQL(pasted: PostgresLedger.pruned),
            JobCondition.arguments(request.filter) + [
                .ints(request.excluded.map(\.rawValue)), .int(Int64(request.limit)),
            ]
        ).map { try $0[0] }
    }

    package func prunable(_ filter: JobFilter) throws(LedgerError) -> Pruned {
        guard !filter.isImpossible else { return Pruned() }
        return try reading { connection in
            let jobs = try MatchingJobs.ids(filter, connection, and: PostgresLedger.ended)
            let files: Int = try connection.query(
                "SELECT count(*) FROM results WHERE job_id = ANY ($1) AND state = 'saved'",
                [.ints(jobs.map(\.rawValue))]
            ).only()[0]
            return Pruned(jobs: jobs.count, files: files)
        }
    }

    package func removals(after path: String, limit: Int) throws(LedgerError) -> [Removal] {
        let rows = try read(Removal.next, [.text(path), .int(Int64(limit))])
        return try LedgerError.wrapping { try rows.map(Removal.init(row:)) }
    }

    package func removed(_ removals: [Removal]) throws(LedgerError) {
        try carryOut(Removal.deletion, Removal.arguments(removals))
    }
}
