import Postgres
package import PromptQueue

extension PostgresQueue: QueueReader {
    package func forEachJob(
        matching filter: JobFilter,
        order: JobOrder,
        limit: Int,
        _ body: (JobRecord) throws -> Void
    ) throws(LedgerError) {
        guard !filter.isImpossible else { return }
        var condition = JobCondition.sql
        var arguments = JobCondition.arguments(filter)
        if !filter.words.isEmpty {
            let ids = try reading { try JobSearch(filter: filter, connection: $0).ids(order, limit: limit) }
            (condition, arguments) = ("jobs.id = ANY ($1)", [.ints(ids)])
        }
        let sql = SQL(
            pasted: """
                SELECT \(JobRecord.columns) FROM (
                    SELECT * FROM jobs WHERE \(condition) ORDER BY \(order.sql(of: "jobs")) LIMIT \(limit)) AS j
                ORDER BY \(order.sql(of: "j"))
                """
        )
        try using { connection in
            try connection.forEachRow(sql, arguments) { try body(JobRecord(row: $0)) }
        }
    }

    package func ids(matching filter: JobFilter, limit: Int) throws(LedgerError) -> [JobID] {
        try reading { connection in
            try JobSearch(filter: filter, connection: connection)
                .ids(JobOrder(.id, isAscending: true), limit: limit)
                .map { JobID($0) }
        }
    }

    package func jobs(matching filter: JobFilter, after: JobID?, limit: Int) throws(LedgerError) -> [ExportedJob] {
        try reading { connection in
            let ids = try JobSearch(filter: filter, connection: connection).ids(
                JobOrder(.id, isAscending: true),
                limit: limit,
                and: "jobs.id > $\(JobCondition.count + 1)",
                [.int(after?.rawValue ?? 0)]
            )
            return try Self.exported(ids, JobRecord.columns, connection)
        }
    }

    /// Jobs and their results, in the order of their ids.
    static func exported(
        _ ids: [Int64],
        _ columns: String,
        _ connection: BlockingConnection
    ) throws -> [ExportedJob] {
        guard !ids.isEmpty else { return [] }
        let rows = try connection.pipeline { pipeline in
            pipeline.add(
                SQL(pasted: "SELECT \(columns) FROM jobs AS j WHERE j.id = ANY ($1) ORDER BY j.id"),
                [.ints(ids)]
            )
            pipeline.add(ResultRows.ofJobs, [.ints(ids)])
        }
        let results = try ResultRows.byJob(rows[1])
        return try rows[0].map { row in
            let job = try JobRecord(row: row)
            return ExportedJob(job: job, results: results[job.id] ?? [])
        }
    }

    package func details(of id: JobID) throws(LedgerError) -> JobDetails? {
        try reading { connection in
            try JobDetails(rows: connection.pipeline { JobDetails.ask(of: id, &$0) })
        }
    }

    package func source(of reference: InputReference) throws(LedgerError) -> SourceRecord? {
        let rows: PostgresRows
        let ordinal = PostgresValue.int(Int64(reference.ordinal))
        switch reference.source {
        case .job(let id):
            rows = try read(SQL(pasted: "\(Self.source) id = $2"), [ordinal, .int(id.rawValue)])
        case .key(let key):
            guard !StoredText.holdsNUL(key) else { return nil }
            rows = try read(SQL(pasted: "\(Self.source) unique_key = $2"), [ordinal, .text(key)])
        case nil: return nil
        }
        return try LedgerError.wrapping {
            guard let row = rows.first, let state = JobState(rawValue: try row[1]) else { return nil }
            return SourceRecord(
                job: JobID(try row[0]),
                state: state,
                model: try row[2],
                isPruned: try row[3],
                hasFile: try row[4]
            )
        }
    }

    private static let source = """
        SELECT id, state, model, pruned_at IS NOT NULL, EXISTS (SELECT FROM results AS r
            WHERE r.job_id = jobs.id AND r.ordinal = $1 AND r.url IS NOT NULL)
        FROM jobs WHERE
        """

    package func missing(_ ids: [JobID]) throws(LedgerError) -> [JobID] {
        let rows = try read(
            """
            SELECT w.id FROM unnest($1::bigint[]) WITH ORDINALITY AS w (id, place)
            WHERE NOT EXISTS (SELECT FROM jobs WHERE jobs.id = w.id) ORDER BY w.place
            """,
            [.ints(ids.map(\.rawValue))]
        )
        return try LedgerError.wrapping { try rows.map { JobID(try $0[0]) } }
    }
}
