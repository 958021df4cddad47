import Postgres
package import PromptQueue

extension PostgresQueue: PageReader {
    package func page(_ request: PageRequest) throws(LedgerError) -> JobSlice {
        guard !request.filter.isImpossible else { return .empty }
        return try reading { connection in
            var candidates = try JobCandidates(request, connection)
            var found: [Int64] = []
            while found.count <= request.limit, let ids = try candidates.next() {
                found += try candidates.matching(ids).prefix(request.limit + 1 - found.count)
            }
            let jobs = try Self.exported(Array(found.prefix(request.limit)), JobRecord.shortColumns, connection)
            return JobSlice(
                request,
                jobs.reversed(),
                hasMore: found.count > request.limit,
                gaveUp: candidates.gaveUp,
                last: candidates.last
            )
        }
    }

    package func spending(per period: SpendingPeriod, since: Instant) throws(LedgerError) -> [SpendingRecord] {
        let rows = try read(
            """
            SELECT starts_at, sum(charged_millicredits), sum(reserved_millicredits) FROM spending
            WHERE period = $1 AND starts_at >= $2 GROUP BY starts_at ORDER BY starts_at
            """,
            [.text(period.rawValue), .int(since.milliseconds)]
        )
        return try LedgerError.wrapping {
            try rows.map { row in
                SpendingRecord(
                    startsAt: Instant(milliseconds: try row[0]),
                    charged: Credits(millicredits: try row[1]),
                    reserved: Credits(millicredits: try row[2])
                )
            }
        }
    }

    package func result(_ id: ResultID) throws(LedgerError) -> ResultRecord? {
        let rows = try read(
            SQL(pasted: "SELECT \(ResultRecord.columns) FROM results WHERE job_id = $1 AND ordinal = $2"),
            [.int(id.job.rawValue), .int(Int64(id.ordinal))]
        )
        return try LedgerError.wrapping { try rows.first.map(ResultRecord.init(row:)) }
    }

    /// Made of the transactions that the server has under way, and the next one's number: whoever commits changes either. So does a
    /// transaction that is undone, one of another database of the same server, and this connection's own; then a look finds nothing new.
    package func dataVersion() throws(LedgerError) -> Int64 {
        let rows = try read("SELECT hashtextextended(pg_current_snapshot()::text, 0)")
        return try LedgerError.wrapping { try rows.only()[0] }
    }
}
