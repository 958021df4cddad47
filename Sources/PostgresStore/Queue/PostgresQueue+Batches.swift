import Postgres
package import PromptQueue

extension PostgresQueue {
    package func hasBatch(_ name: String) throws(LedgerError) -> Bool {
        guard !StoredText.holdsNUL(name) else { return false }
        let rows = try read("SELECT EXISTS (SELECT FROM jobs WHERE batch = $1)", [.text(name)])
        return try LedgerError.wrapping { try rows.only()[0] }
    }

    package func batches(limit: Int) throws(LedgerError) -> [String] {
        try reading { try Self.names(after: nil, limit: limit, $0) }
    }

    package func batchPage(after name: String?, limit: Int) throws(LedgerError) -> [BatchRecord] {
        guard !StoredText.holdsNUL(name) else { return [] }
        return try reading { try Self.records(Self.names(after: name ?? "", limit: limit, $0), $0) }
    }

    package func latestBatches(limit: Int) throws(LedgerError) -> [BatchRecord] {
        try reading { connection in
            let rows = try connection.query(
                """
                SELECT batch FROM (SELECT id, batch FROM jobs ORDER BY id DESC LIMIT 5000) AS latest
                WHERE batch IS NOT NULL GROUP BY batch ORDER BY max(id) DESC LIMIT $1
                """,
                [.int(Int64(limit))]
            )
            return try Self.records(rows.map { try $0[0] }, connection)
        }
    }

    package func batch(_ name: String) throws(LedgerError) -> BatchRecord? {
        guard !StoredText.holdsNUL(name) else { return nil }
        return try reading { try Self.records([name], $0).first }
    }

    /// In their order, by a seek for each, however many jobs it has.
    private static func names(after name: String?, limit: Int, _ connection: BlockingConnection) throws -> [String] {
        guard limit > 0 else { return [] }
        return try connection.query(
            """
            WITH RECURSIVE seen (batch, number) AS (
                SELECT (SELECT min(batch) FROM jobs WHERE batch IS NOT NULL AND ($1::text IS NULL OR batch > $1)), 1::bigint
                UNION ALL
                SELECT (SELECT min(batch) FROM jobs WHERE batch > seen.batch), number + 1 FROM seen
                WHERE seen.batch IS NOT NULL AND number < $2
            )
            SELECT batch FROM seen WHERE batch IS NOT NULL
            """,
            [.text(name), .int(Int64(limit))]
        ).map { try $0[0] }
    }

    /// Each state's jobs are counted up to a limit, by an index.
    private static func records(_ names: [String], _ connection: BlockingConnection) throws -> [BatchRecord] {
        guard !names.isEmpty else { return [] }
        let rows = try connection.query(
            """
            SELECT b.name, s.state, c.jobs, c.newest
            FROM unnest($1::text[]) AS b (name) CROSS JOIN unnest($2::text[]) AS s (state) CROSS JOIN LATERAL (
                SELECT count(*) AS jobs, max(id) AS newest FROM (
                    -- By jobs_batch alone (JobCandidates).
                    SELECT id FROM jobs WHERE batch IS NOT NULL AND batch = ANY (ARRAY[b.name]) AND state = s.state
                    ORDER BY batch DESC, id DESC LIMIT $3) AS counted) AS c
            WHERE c.jobs > 0
            """,
            [
                .texts(names), .texts(JobState.allCases.map(\.rawValue)), .int(Int64(BatchRecord.countLimit)),
            ]
        )
        var counts: [String: [JobState: Int]] = [:]
        var newest: [String: Int64] = [:]
        for row in rows {
            let name: String = try row[0]
            guard let state = JobState(rawValue: try row[1]) else { continue }
            counts[name, default: [:]][state] = try row[2]
            newest[name] = max(newest[name] ?? 0, try row[3])
        }
        let small = counts.filter { $0.value.values.reduce(0, +) < BatchRecord.countLimit }.map(\.key)
        let sums = try connection.query(
            """
            SELECT b.name, (SELECT coalesce(sum(charged_millicredits), 0) FROM jobs
                WHERE batch = b.name AND charged_millicredits > 0)
            FROM unnest($1::text[]) AS b (name)
            """,
            [.texts(small)]
        )
        let charged = try Dictionary(
            uniqueKeysWithValues: sums.map { (try $0[0] as String, Credits(millicredits: try $0[1])) }
        )
        return names.compactMap { name in
            guard let counts = counts[name], let newest = newest[name] else { return nil }
            return BatchRecord(name: name, counts: counts, newest: JobID(newest), charged: charged[name])
        }
    }
}
