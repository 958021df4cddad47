import GRDB
package import PromptQueue

extension QueueFile {
    package func batchPage(after name: String?, limit: Int) throws(LedgerError) -> [BatchRecord] {
        try read { db in
            try String
                .fetchAll(
                    db,
                    sql: """
                        WITH RECURSIVE seen (batch, number) AS (
                            SELECT (SELECT min(batch) FROM jobs WHERE batch > :after), 1
                            UNION ALL
                            SELECT (SELECT min(batch) FROM jobs WHERE batch > seen.batch), number + 1 FROM seen
                            WHERE seen.batch IS NOT NULL AND number < :limit
                        )
                        SELECT batch FROM seen WHERE batch IS NOT NULL
                        """,
                    arguments: ["after": name ?? "", "limit": limit]
                )
                .compactMap { try Self.batch($0, db) }
        }
    }

    package func latestBatches(limit: Int) throws(LedgerError) -> [BatchRecord] {
        try read { db in
            try String
                .fetchAll(
                    db,
                    sql: """
                        SELECT batch FROM (SELECT id, batch FROM jobs ORDER BY id DESC LIMIT 5000)
                        WHERE batch IS NOT NULL GROUP BY batch ORDER BY max(id) DESC LIMIT ?
                        """,
                    arguments: [limit]
                )
                .compactMap { try Self.batch($0, db) }
        }
    }

    package func batch(_ name: String) throws(LedgerError) -> BatchRecord? { try read { try Self.batch(name, $0) } }

    private static func batch(_ name: String, _ db: Database) throws -> BatchRecord? {
        let statement = try db.cachedStatement(
            sql: """
                SELECT count(*) AS jobs, max(id) AS newest FROM (
                    SELECT id FROM jobs WHERE batch = ? AND state = ? ORDER BY id DESC LIMIT ?)
                """
        )
        var counts: [JobState: Int] = [:]
        var newest: Int64 = 0
        for state in JobState.allCases {
            let arguments: StatementArguments = [name, state.rawValue, BatchRecord.countLimit]
            guard let row = try Row.fetchOne(statement, arguments: arguments), let last: Int64 = row["newest"] else {
                continue
            }
            counts[state] = row["jobs"]
            newest = max(newest, last)
        }
        guard newest > 0 else { return nil }
        let charged: Credits?
        if counts.values.reduce(0, +) < BatchRecord.countLimit {
            let sum = try db.cachedStatement(
                sql: """
                    SELECT coalesce(sum(charged_millicredits), 0) FROM jobs INDEXED BY jobs_batch_charged
                    WHERE batch = ? AND charged_millicredits > 0
                    """
            )
            charged = try Int64.fetchOne(sum, arguments: [name]).map(Credits.init(millicredits:))
        } else {
            charged = nil
        }
        return BatchRecord(name: name, counts: counts, newest: JobID(newest), charged: charged)
    }
}
