import Postgres
import PromptQueue

/// Jobs on their way into the table, several in one statement.
struct JobRows {
    private let jobs: ArraySlice<NewJob>

    /// - Throws: `LedgerError` for a text that cannot be stored.
    init(_ jobs: ArraySlice<NewJob>) throws(LedgerError) {
        for job in jobs { try job.checkTexts() }
        self.jobs = jobs
    }

    /// Inserts them in their order, all or none. When they were added the server says.
    ///
    /// - Returns: ids and keys of those that were inserted, in their order.
    func insert(
        _ connection: BlockingConnection,
        skipsDuplicates: Bool
    ) throws -> [(id: JobID, key: String?)] {
        let rows = try connection.query(
            skipsDuplicates ? Self.skippingDuplicates : Self.insertion,
            [
                .texts(jobs.map(\.prompt)), .texts(jobs.map(\.model)), .texts(jobs.map(\.input)),
                .texts(jobs.map(\.queue)), .ints(jobs.map(\.priority)), .ints(jobs.map { $0.runAt?.milliseconds ?? 0 }),
                .texts(jobs.map(\.uniqueKey)), .texts(jobs.map(\.batch)), .texts(jobs.map(\.labels)),
                .ints(jobs.map { Int64($0.maxAttempts) }), .ints(jobs.map { $0.estimate?.credits.millicredits }),
                .texts(jobs.map { $0.estimate?.kind.rawValue }), .ints(jobs.map { $0.allowsUnknownFields ? 1 : 0 }),
            ]
        )
        return try rows.map { (JobID(try $0[0]), try $0[1]) }
    }

    private static let insertion: SQL = """
        INSERT INTO jobs (prompt, model, input, queue, priority, run_at, unique_key, batch, labels, max_attempts,
            estimated_millicredits, estimate_basis, allow_unknown)
        SELECT prompt, model, input::json, queue, priority, run_at, unique_key, batch, labels::json, max_attempts,
            estimated, basis, allow_unknown
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[],
            $10::bigint[], $11::bigint[], $12::text[], $13::bigint[])
            AS n (prompt, model, input, queue, priority, run_at, unique_key, batch, labels, max_attempts, estimated, basis,
                allow_unknown)
        RETURNING id, unique_key
        """

    private static let skippingDuplicates: SQL = """
        INSERT INTO jobs (prompt, model, input, queue, priority, run_at, unique_key, batch, labels, max_attempts,
            estimated_millicredits, estimate_basis, allow_unknown)
        SELECT prompt, model, input::json, queue, priority, run_at, unique_key, batch, labels::json, max_attempts,
            estimated, basis, allow_unknown
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[],
            $10::bigint[], $11::bigint[], $12::text[], $13::bigint[])
            AS n (prompt, model, input, queue, priority, run_at, unique_key, batch, labels, max_attempts, estimated, basis,
                allow_unknown)
        ON CONFLICT (unique_key) DO NOTHING
        RETURNING id, unique_key
        """
}
