import GRDB
package import PromptQueue

extension QueueFile: PageReader {
    package func page(_ request: PageRequest) throws(LedgerError) -> JobSlice {
        // The index would be asked for what its beginning names.
        guard !request.filter.isImpossible else { return .empty }
        return try searching(request.filter) { db, search in
            var candidates = try JobCandidates(request, search, db)
            var found: [Row] = []
            while found.count <= request.limit, let ids = try candidates.next(db) {
                found += try Self.rows(ids, candidates.residual, limit: request.limit + 1 - found.count, db)
            }
            let hasMore = found.count > request.limit
            var jobs = try found.prefix(request.limit).map { try JobRecord($0) }
            if candidates.isAscending { jobs.reverse() }
            let results = try Self.results(of: jobs.map(\.id), db)
            return JobSlice(
                request,
                jobs.map { ExportedJob(job: $0, results: results[$0.id] ?? []) },
                hasMore: hasMore,
                gaveUp: candidates.gaveUp,
                last: candidates.last
            )
        }
    }

    /// Those of `ids` that match, in their order.
    private static func rows(_ ids: [Int64], _ filter: JobFilter, limit: Int, _ db: Database) throws -> [Row] {
        let (condition, arguments) = filter.condition
        let list = JSONValue.array(ids.map { .integer($0) }).json
        let isAscending = ids.count > 1 && ids[0] < ids[1]
        return try Row.fetchAll(
            db,
            sql: """
                SELECT substr(prompt, 1, 500) AS prompt, '{}' AS input, \(JobRecord.selection) FROM jobs
                WHERE id IN (SELECT value FROM json_each(?)) AND \(condition)
                ORDER BY id \(isAscending ? "ASC" : "DESC") LIMIT ?
                """,
            arguments: [list] + arguments + [limit]
        )
    }

    private static func results(of jobs: [JobID], _ db: Database) throws -> [JobID: [ResultRecord]] {
        let list = JSONValue.array(jobs.map { .integer($0.rawValue) }).json
        let statement = try db.cachedStatement(
            sql: """
                SELECT * FROM results WHERE job_id IN (SELECT value FROM json_each(?)) ORDER BY job_id, ordinal
                """
        )
        return try Row.fetchAll(statement, arguments: [list])
            .reduce(into: [:]) { results, row in
                results[JobID(row["job_id"]), default: []].append(try ResultRecord(row))
            }
    }

    package func spending(
        per period: SpendingPeriod,
        since: Instant
    ) throws(LedgerError) -> [SpendingRecord] {
        try read { db in
            try Row
                .fetchAll(
                    db.cachedStatement(
                        sql: """
                            SELECT starts_at, sum(charged_millicredits) AS charged, sum(reserved_millicredits) AS reserved
                            FROM spending WHERE period = ? AND starts_at >= ? GROUP BY starts_at ORDER BY starts_at
                            """
                    ),
                    arguments: [period.rawValue, since.milliseconds]
                )
                .map { row in
                    SpendingRecord(
                        startsAt: Instant(milliseconds: row["starts_at"]),
                        charged: Credits(millicredits: row["charged"]),
                        reserved: Credits(millicredits: row["reserved"])
                    )
                }
        }
    }

    package func durations() throws(LedgerError) -> [String: Duration] { try read { try Self.durations($0) } }

    package func result(_ id: ResultID) throws(LedgerError) -> ResultRecord? {
        try read { db in
            try Row
                .fetchOne(
                    db.cachedStatement(sql: "SELECT * FROM results WHERE job_id = ? AND ordinal = ?"),
                    arguments: [id.job.rawValue, id.ordinal]
                )
                .map(ResultRecord.init)
        }
    }
}
