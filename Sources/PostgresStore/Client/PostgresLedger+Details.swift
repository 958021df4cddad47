import Postgres
import PromptQueue

extension PostgresLedger {
    /// A job with everything that is known of it, and the store's instant at which it was read: what is in it is told by the same
    /// clock.
    func details(of job: JobID) async throws(LedgerError) -> (details: JobDetails, at: Instant)? {
        try await LedgerError.wrapping {
            let rows = try await reads.connection().pipeline { pipeline in
                JobDetails.ask(of: job, &pipeline)
                pipeline.add("SELECT now_ms()")
            }
            return try JobDetails(rows: rows).map {
                ($0, Instant(milliseconds: try rows[JobDetails.questions].only()[0]))
            }
        }
    }
}

extension JobDetails {
    /// How many questions `ask` asks.
    static let questions = 7

    static func ask(of job: JobID, _ pipeline: inout PostgresPipeline) {
        pipeline.add(
            SQL(pasted: "SELECT \(JobRecord.columns) FROM jobs AS j WHERE j.id = $1"),
            [.int(job.rawValue)]
        )
        pipeline.add(
            SQL(pasted: "SELECT \(AttemptRecord.columns) FROM attempts WHERE job_id = $1 ORDER BY id"),
            [.int(job.rawValue)]
        )
        pipeline.add(
            SQL(pasted: "SELECT \(ResultRecord.columns) FROM results WHERE job_id = $1 ORDER BY ordinal"),
            [.int(job.rawValue)]
        )
        pipeline.add(
            """
            SELECT a.model, a.profile, a.answered_at, c.profile, c.took_milliseconds
            FROM (SELECT * FROM attempts WHERE job_id = $1 AND state = 'accepted' AND finished_at IS NULL
                ORDER BY id DESC LIMIT 1) AS a
                LEFT JOIN completed_tasks() AS c ON c.model = a.model
            """,
            [.int(job.rawValue)]
        )
        // Those of the account that the job was sent under, or will be.
        pipeline.add(
            """
            SELECT a.credit_reserve_millicredits, a.unconfirmed_policy, a.unconfirmed_window_ms
            FROM jobs AS j JOIN account AS a ON a.name = CASE WHEN j.state = 'queued'
                THEN coalesce((SELECT account FROM queues WHERE name = j.queue), 'default')
                ELSE coalesce((attempt_of(j.id)).account, 'default') END
            WHERE j.id = $1
            """,
            [.int(job.rawValue)]
        )
        pipeline.add(
            """
            SELECT s.blocked_by, (SELECT g.message FROM gates AS g
                WHERE g.name = s.blocked_by AND g.queue IN ('', s.queue) AND g.account IN ('', s.account) LIMIT 1)
            FROM jobs AS j JOIN queue_status AS s ON s.queue = j.queue
            WHERE j.id = $1 AND j.state = 'queued' AND s.blocked_by IS NOT NULL
            """,
            [.int(job.rawValue)]
        )
        pipeline.add("SELECT id, state, model, distance, takes FROM chain_of($1)", [.int(job.rawValue)])
    }

    /// The answers to what `ask` asks; nil if there is no such job.
    init?(rows: [PostgresRows]) throws {
        guard let row = rows[0].first else { return nil }
        self.init(
            job: try JobRecord(row: row),
            attempts: try rows[1].map(AttemptRecord.init(row:)),
            results: try rows[2].map(ResultRecord.init(row:)),
            running: try RunningTask(rows: rows[3]),
            rules: try rows[4].first.map(AccountRules.init(row:)) ?? AccountRules(),
            blockedBy: try rows[5].first.map { (BlockReason(rawValue: try $0[0]), try $0[1]) }
        )
        chain = try rows[6].compactMap { row in
            try JobState(rawValue: try row[1]).map { state in
                ChainLink(
                    job: JobID(try row[0]),
                    state: state,
                    model: try row[2],
                    distance: try row[3],
                    takes: try Texts(json: row[4])
                )
            }
        }
    }
}

extension RunningTask {
    /// The task's model, profile and instant, with what is known of its model in each row; no row if there is no task.
    fileprivate init?(rows: PostgresRows) throws {
        guard let first = rows.first else { return nil }
        let model: String = try first[0]
        var history = CompletionHistory()
        history.learn(
            try rows.compactMap { row in
                guard let took: Int64 = try row[4] else { return nil }
                return CompletedTask(key: CompletionKey(model: model, profile: try row[3]), took: .milliseconds(took))
            }
        )
        guard let curve = history.curve(for: CompletionKey(model: model, profile: try first[1])) else { return nil }
        self.init(since: Instant(milliseconds: try first[2]), curve: curve)
    }
}

extension AccountRules {
    /// The defaults where no daemon has noted its rules yet.
    fileprivate init(row: PostgresRow) throws {
        self.init()
        if let reserve: Int64 = try row[0] { creditReserve = Credits(millicredits: reserve) }
        if let policy: String = try row[1], let known = UnconfirmedPolicy(rawValue: policy) {
            unconfirmedPolicy = known
        }
        if let window: Int64 = try row[2] { unconfirmedWindow = .milliseconds(window) }
    }
}
