import GRDB
import PromptQueue

/// The one place where an attempt's money is settled, within a transaction: what was reserved for it is released, what it
/// cost is booked, and its job's sum follows.
///
/// Each way is idempotent: an attempt that is settled stays as it is, and the answer is nil.
struct Settlement {
    let db: Database
    let now: Instant

    /// Its task ended, well or not.
    ///
    /// - Parameters:
    ///   - charged: nil if the provider does not say: then what was reserved is booked, rather too much than too little.
    ///   - unread: what the provider gave and no result holds.
    ///   - books: whether its job's sum follows at once; else the caller writes it together with what becomes of the job.
    /// - Returns: its job.
    func ended(
        _ attempt: AttemptID,
        charged: Credits?,
        failure: Failure?,
        took: Duration?,
        unread: String?,
        books: Bool = true
    ) throws -> JobID? {
        try settled(
            """
            UPDATE attempts SET finished_at = ?, charged_millicredits = coalesce(?, reserved_millicredits),
                charge_reported = ?, reserved_millicredits = 0, error_code = ?, message = ?, took_milliseconds = ?,
                result_json = ?
            WHERE id = ? AND state = 'accepted' AND finished_at IS NULL
            RETURNING job_id
            """,
            [
                now.milliseconds, charged?.millicredits, charged != nil, failure?.code.rawValue,
                failure.map { BoundedText.message($0.message) }, took.map { max(0, $0.milliseconds) },
                unread.map(BoundedText.document), attempt.rawValue,
            ],
            books: books
        )
    }

    /// Its task, settled as a failure before, has succeeded after all: what it was charged is what the provider says now.
    func corrected(_ attempt: AttemptID, charged: Credits?, unread: String?) throws -> JobID? {
        try settled(
            """
            UPDATE attempts SET error_code = NULL, message = NULL,
                charged_millicredits = coalesce(?1, charged_millicredits),
                charge_reported = CASE WHEN ?1 IS NULL THEN charge_reported ELSE 1 END,
                result_json = coalesce(?2, result_json)
            WHERE id = ?3
            RETURNING job_id
            """,
            [charged?.millicredits, unread.map(BoundedText.document), attempt.rawValue]
        )
    }

    /// There is no task, and nothing was charged; unless a callback has named one, of which the provider has yet to say
    /// whose it is.
    ///
    /// - Parameters:
    ///   - keepsCode: whether the error code of the lost answer stays, and the failure gives the message alone.
    ///   - hasArrived: whether the request no longer is under way anywhere, so that it gives its slot of the rate window back.
    /// - Returns: its job.
    func withoutTask(
        _ attempt: AttemptID,
        _ failure: Failure,
        keepsCode: Bool = false,
        hasArrived: Bool = false
    ) throws
        -> JobID?
    {
        try settled(
            """
            UPDATE attempts SET state = 'rejected', answered_at = coalesce(answered_at, ?1), finished_at = ?1,
                reserved_millicredits = 0, http_status = coalesce(?2, http_status), api_code = coalesce(?3, api_code),
                error_code = coalesce(?4, error_code), message = ?5,
                arrives_until = CASE WHEN ?6 THEN min(arrives_until, ?1) ELSE arrives_until END
            WHERE id = ?7 AND state IN ('sending', 'unknown') AND finished_at IS NULL AND hinted_task_id IS NULL
            RETURNING job_id
            """,
            [
                now.milliseconds, failure.httpStatus, failure.apiCode, keepsCode ? nil : failure.code.rawValue,
                BoundedText.message(failure.message), hasArrived, attempt.rawValue,
            ]
        )
    }

    /// Its answer was lost, and nobody will know: what was reserved counts as spent.
    ///
    /// - Parameter ignoresHint: whether a task that a callback named is not considered, because an operator says so.
    /// - Returns: its job.
    func presumed(_ attempt: AttemptID, ignoresHint: Bool = false) throws -> JobID? {
        try settled(
            """
            UPDATE attempts SET finished_at = ?, charged_millicredits = reserved_millicredits, reserved_millicredits = 0
            WHERE id = ? AND state = 'unknown' AND finished_at IS NULL AND (hinted_task_id IS NULL OR ?)
            RETURNING job_id
            """,
            [now.milliseconds, attempt.rawValue, ignoresHint]
        )
    }

    /// What a job is charged: the sum of its attempts' charges.
    static let booking =
        "charged_millicredits = (SELECT sum(charged_millicredits) FROM attempts WHERE job_id = jobs.id)"

    /// Books what a job's attempts were charged.
    func book(_ job: JobID) throws {
        let statement = try db.cachedStatement(sql: "UPDATE jobs SET \(Self.booking) WHERE id = ?")
        statement.setUncheckedArguments([job.rawValue])
        try statement.execute()
    }

    private func settled(_ sql: String, _ arguments: StatementArguments, books: Bool = true) throws -> JobID? {
        let statement = try db.cachedStatement(sql: sql)
        // Every call here has as many arguments as its statement takes: they need not be counted each time.
        statement.setUncheckedArguments(arguments)
        guard let job = try Int64.fetchOne(statement).map({ JobID($0) }) else { return nil }
        if books { try book(job) }
        return job
    }
}
