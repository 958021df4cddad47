import Postgres
package import PromptQueue

extension PostgresQueue {
    package func resolve(
        _ job: JobID,
        _ resolution: Resolution,
        now: Instant,
        dryRun: Bool
    ) throws(LedgerError) -> ChangeOutcome {
        try change(dryRun: dryRun) { connection in
            var outcome = ChangeOutcome()
            try JobSettlement(connection, job).settle(resolution, &outcome)
            return outcome
        }
    }

    package func resolve(
        _ jobs: [JobID],
        _ resolution: Resolution,
        now: Instant,
        dryRun: Bool
    ) throws(LedgerError) -> ChangeOutcome {
        try change(dryRun: dryRun) { connection in
            var outcome = ChangeOutcome()
            // In one order, whoever else locks several.
            _ = try JobChanges.locked(jobs, connection)
            for job in jobs {
                do {
                    try connection.transaction { try JobSettlement(connection, job).settle(resolution, &outcome) }
                } catch {
                    let refusal = LedgerError(error)
                    guard refusal.code == .constraint else { throw error }
                    outcome.refused.append((job, refusal.message))
                }
            }
            return outcome
        }
    }

    package func unconfirmed(matching filter: JobFilter) throws(LedgerError) -> [JobID] {
        guard let filter = filter.unconfirmed else { return [] }
        return try change { try MatchingJobs.ids(filter, $0) }
    }
}

/// Settles one unconfirmed job, as an operator says.
private struct JobSettlement {
    private let connection: BlockingConnection
    private let job: JobID
    /// The attempt whose answer was lost.
    private let attempt: Int64
    private let hinted: String?
    private let reserved: Credits

    /// Looks whether there is something to settle, and keeps others from changing it.
    ///
    /// - Throws: `LedgerError` with code `constraint` if there is not.
    init(_ connection: BlockingConnection, _ job: JobID) throws {
        self.connection = connection
        self.job = job
        let states = try connection.query(
            "SELECT state FROM jobs WHERE id = $1 FOR NO KEY UPDATE",
            [.int(job.rawValue)]
        )
        if let refusal = LedgerError.notToSettle(job, state: try states.first?[0]) { throw refusal }
        // There is one at most (attempts_one_open).
        let rows = try connection.query(
            """
            SELECT id, hinted_task_id, reserved_millicredits FROM attempts
            WHERE job_id = $1 AND state = 'unknown' AND finished_at IS NULL FOR NO KEY UPDATE
            """,
            [.int(job.rawValue)]
        )
        guard let row = rows.first else { throw LedgerError.nothingLost(of: job) }
        (attempt, hinted, reserved) = (try row[0], try row[1], Credits(millicredits: try row[2]))
    }

    /// Adds to `outcome` what that means for money.
    func settle(_ resolution: Resolution, _ outcome: inout ChangeOutcome) throws {
        switch resolution {
        case .task(let task): try adopt(task)
        case .resubmit: try resubmit()
        case .fail:
            _ = try connection.query(
                "SELECT settle_as_spent($1, $2, $3, $4)",
                [
                    .int(job.rawValue), .int(attempt), .text(FailureCode.settledByOperator.rawValue),
                    "given up by an operator; it may have been charged",
                ]
            )
        }
        outcome.settled(resolution, holding: reserved)
    }

    private func adopt(_ task: TaskID) throws {
        try StoredText.check(task.rawValue, "attempts.task_id")
        let others = try connection.query(
            "SELECT a.job_id FROM account AS n JOIN attempts AS a ON a.account = n.name AND a.task_id = $1 LIMIT 1",
            [.text(task.rawValue)]
        )
        if let other: Int64 = try others.first?[0] { throw LedgerError.taken(task, by: JobID(other)) }
        _ = try connection.query(
            "SELECT settle_as_task($1, $2, $3)",
            [.int(job.rawValue), .int(attempt), .text(task.rawValue)]
        )
    }

    private func resubmit() throws {
        if let hinted { throw LedgerError.named(TaskID(hinted), for: job) }
        let failure = Failure(.settledByOperator, "settled by an operator: there is no task")
        _ = try connection.query(
            "SELECT settle_as_unsent($1, $2, $3, $4)",
            [
                .int(job.rawValue), .int(attempt), .text(failure.code.rawValue),
                .text(BoundedText.message(failure.message)),
            ]
        )
    }
}
