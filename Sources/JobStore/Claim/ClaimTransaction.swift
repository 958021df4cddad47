import GRDB
import PromptQueue

/// What one claim reads and writes, inside its transaction, as SQL. Which jobs are taken is `ClaimPlan`'s to say.
struct ClaimTransaction: ClaimSource {
    let db: Database
    /// Only its queues are looked at, and only its attempts count.
    let account: AccountName
    let request: ClaimRequest
    /// For how long a request whose answer was lost keeps its slot.
    let lateArrival: Duration
    private var prices = ClaimPrices()
    private var generator = SystemRandomNumberGenerator()
    /// The job that is being written.
    private(set) var current: JobID?
    /// What the plan has taken, and is still to be written.
    private var taken: [TakenJob] = []

    private init(_ db: Database, _ account: AccountName, _ request: ClaimRequest, lateArrival: Duration) {
        self.db = db
        self.account = account
        self.request = request
        self.lateArrival = lateArrival
    }

    /// Runs a claim; a job that the database refuses to have claimed is set aside with the reason, and the others are
    /// claimed without it.
    ///
    /// - Parameter isRepeated: whether the claim was undone because a job was refused. Only then there is a savepoint: nearly
    ///   never anything is refused, and within one SQLite keeps a copy of every page that each of hundreds of statements
    ///   changes, which cost more than the statements.
    /// - Throws: `DatabaseError` for the first job that is refused, unless this is the second time.
    static func run(
        _ plan: inout ClaimPlan,
        _ account: AccountName,
        _ request: ClaimRequest,
        lateArrival: Duration,
        isRepeated: Bool,
        _ db: Database
    ) throws -> Claim {
        guard isRepeated else {
            var transaction = ClaimTransaction(db, account, request, lateArrival: lateArrival)
            var result = try plan.run(&transaction)
            result.jobs = try transaction.write(isApart: false)
            return result
        }
        var aside: [SetAside] = []
        while true {
            var attempt = plan
            var transaction = ClaimTransaction(db, account, request, lateArrival: lateArrival)
            do {
                var result = Claim()
                try db.inSavepoint {
                    result = try attempt.run(&transaction)
                    result.jobs = try transaction.write(isApart: true)
                    return .commit
                }
                plan = attempt
                result.setAside = aside
                return result
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                guard let job = transaction.current else { throw error }
                let reason = LedgerError(error).message
                try SetAsideRows.insert(job, reason, at: request.now, db)
                aside.append(SetAside(job: job, origin: try JobOrigin.read(job, db), reason: reason))
                // Each costs the claim another run: the transaction stays short, and the next claim goes on.
                if aside.count >= ClaimPlan.maximumSetAside {
                    var result = Claim()
                    result.setAside = aside
                    result.hasMore = true
                    return result
                }
            }
        }
    }

    // MARK: - Writing

    mutating func refuse(_ job: JobID, _ refusal: Refusal) throws -> RefusedJob {
        current = job
        let message = BoundedText.message(refusal.description)
        try execute(
            """
            UPDATE jobs SET state = 'failed', finished_at = ?, error_code = ?, error_message = ?
            WHERE id = ? AND state = 'queued'
            """,
            [request.now.milliseconds, refusal.code.rawValue, message, job.rawValue]
        )
        current = nil
        return RefusedJob(job: job, code: refusal.code, message: message)
    }

    /// - Returns: the job with its place in `taken` instead of its attempt's id, which it is given when it is written.
    mutating func take(
        _ candidate: ClaimCandidate,
        _ job: QueuedJob,
        _ prepared: PreparedInput,
        _ estimate: Estimate
    ) throws -> ClaimedJob {
        let claimed = ClaimedJob(
            attempt: AttemptID(Int64(taken.count)),
            token: AttemptToken.random(at: request.now, using: &generator),
            job: job.id,
            queue: job.queue,
            batch: job.batch,
            model: job.model,
            input: prepared.input,
            reserved: estimate.credits,
            attemptCount: candidate.attemptCount + 1,
            maxAttempts: candidate.maxAttempts
        )
        taken.append(
            TakenJob(
                job: claimed,
                basis: estimate.kind.rawValue,
                profile: CompletionProfile.text(of: prepared.input),
                isFirst: candidate.attemptCount == 0
            )
        )
        return claimed
    }

    /// Writes what was taken: all by the same statements, or each by itself, so that it shows which one is refused.
    private mutating func write(isApart: Bool) throws -> [ClaimedJob] {
        let writing = TakenJobs(db: db, account: account, now: request.now)
        if !isApart, taken.count > 1 { return try writing.write(taken) }
        return try taken.map { job in
            // It stays, when this fails: the one that is refused.
            current = job.job.job
            let written = try writing.write(job)
            current = nil
            return written
        }
    }

    mutating func estimate(of prepared: PreparedInput, model: String) throws -> Estimate {
        try prices.estimate(of: prepared, model: model, db)
    }

    // MARK: - Turns

    /// How many jobs that have become due get their turn in one claim.
    private static let maximumTurns = 500

    mutating func giveTurns() throws -> Bool {
        // What the provider no longer has is uploaded anew, and whoever takes it waits for that.
        try execute(
            """
            UPDATE uploads SET state = CASE WHEN EXISTS (
                SELECT 1 FROM job_uploads AS u JOIN jobs AS j ON j.id = u.job_id
                WHERE u.reference = uploads.reference AND j.state = 'queued') THEN 'wanted' ELSE 'idle' END
            WHERE state = 'ready' AND expires_at <= ?
            """,
            [request.now.milliseconds]
        )
        let due = try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT id FROM jobs
                    WHERE state = 'queued' AND turn IS NULL AND coalesce(waits, 0) = 0 AND run_at <= ?
                        AND id NOT IN (SELECT job_id FROM set_aside)
                    ORDER BY run_at, id LIMIT ?
                    """
            ),
            arguments: [request.now.milliseconds, Self.maximumTurns]
        )
        guard !due.isEmpty else { return false }
        // One that comes back has kept its turn.
        let ask = try db.cachedStatement(
            sql: "UPDATE jobs SET turn = coalesce(kept_turn, -1), kept_turn = NULL WHERE id = ?"
        )
        for id in due {
            current = JobID(id)
            try ask.execute(arguments: [id])
        }
        current = nil
        return due.count == Self.maximumTurns
    }

    func noteTurn(_ turn: Int64, of queue: ExactText, at priority: Int64) throws {
        try execute(
            """
            INSERT INTO turns_served (queue, priority, turn) VALUES (?, ?, ?)
            ON CONFLICT (queue, priority) DO UPDATE SET turn = excluded.turn WHERE excluded.turn > turn
            """,
            [queue.text, priority, turn]
        )
    }

    func nextRunAt() throws -> Instant? {
        try Int64
            .fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT run_at FROM jobs
                        WHERE state = 'queued' AND turn IS NULL AND coalesce(waits, 0) = 0 AND run_at > ?
                        ORDER BY run_at LIMIT 1
                        """
                ),
                arguments: [request.now.milliseconds]
            )
            .map(Instant.init(milliseconds:))
    }

    private func execute(_ sql: String, _ arguments: StatementArguments) throws {
        let statement = try db.cachedStatement(sql: sql)
        // They are as many as the statement takes: they need not be counted for each job.
        statement.setUncheckedArguments(arguments)
        try statement.execute()
    }
}
