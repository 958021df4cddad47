import Postgres
import PromptQueue

/// What a change of jobs does, within a transaction.
enum JobChanges {
    /// How many go into one statement.
    private static let portion = 10_000

    /// Of a chain the last is cancelled first, and the first tried again first: that way none is in the others' way.
    static func ordered(_ jobs: [JobID], _ change: JobChange) -> [JobID] {
        switch change {
        case .cancel: jobs.sorted { $0.rawValue > $1.rawValue }
        case .retry: jobs.sorted { $0.rawValue < $1.rawValue }
        }
    }

    /// The states of jobs, which nobody else changes until the transaction ends.
    static func locked(_ jobs: [JobID], _ connection: BlockingConnection) throws -> [JobID: String] {
        let rows = try connection.query(
            "SELECT id, state FROM jobs WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE",
            [.ints(jobs.map(\.rawValue))]
        )
        return try Dictionary(rows.map { (JobID(try $0[0]), try $0[1]) }) { first, _ in first }
    }

    /// Lets a job that runs be asked about again, if it is set aside.
    ///
    /// - Returns: whether there was anything to let go.
    static func release(_ job: JobID, _ connection: BlockingConnection) throws -> Bool {
        try connection.query("SELECT release_job($1)", [.int(job.rawValue)]).only()[0]
    }

    /// All in one statement, which takes a tenth of the time.
    ///
    /// - Returns: false if the database refuses one of them; then none is changed.
    static func applyToAll(_ change: JobChange, _ jobs: [JobID], _ connection: BlockingConnection) throws -> Bool {
        if case .retry(.some) = change { return false }
        do {
            let rows = try connection.transaction {
                try connection.query(
                    "UPDATE jobs SET state = $1 WHERE id = ANY ($2)",
                    [.text(change.target.rawValue), .ints(jobs.map(\.rawValue))]
                )
            }
            return rows.affected == jobs.count
        } catch let error as PostgresError where error.isRefusal {
            return false
        }
    }

    /// One after the other, so that one that the database refuses keeps none of the others.
    ///
    /// - Returns: those that the database has let.
    static func apply(
        _ change: JobChange,
        _ jobs: [JobID],
        _ connection: BlockingConnection,
        _ outcome: inout ChangeOutcome
    ) throws -> [JobID] {
        guard !jobs.isEmpty else { return [] }
        if case .retry(let edit?) = change { return try retry(jobs, edit, connection, &outcome) }
        var changed: [JobID] = []
        for start in stride(from: 0, to: jobs.count, by: portion) {
            let rows = try connection.query(
                "SELECT job_id, problem FROM change_jobs($1, $2)",
                [
                    .ints(jobs[start..<min(start + portion, jobs.count)].map(\.rawValue)),
                    .text(change.target.rawValue),
                ]
            )
            for row in rows {
                let job = JobID(try row[0])
                if let problem: String = try row[1] {
                    outcome.refused.append((job, problem))
                } else {
                    changed.append(job)
                }
            }
        }
        outcome.changed += changed.count
        return changed
    }

    private static func retry(
        _ jobs: [JobID],
        _ edit: JobEdit,
        _ connection: BlockingConnection,
        _ outcome: inout ChangeOutcome
    ) throws -> [JobID] {
        try StoredText.check(edit.prompt, "jobs.prompt")
        return try jobs.filter { job in
            do {
                try connection.transaction { try retry(job, edit, connection) }
                outcome.changed += 1
                return true
            } catch let error as PostgresError where error.isRefusal {
                outcome.refused.append((job, error.server?.message ?? "refused by the database"))
                return false
            }
        }
    }

    private static func retry(_ job: JobID, _ edit: JobEdit, _ connection: BlockingConnection) throws {
        let row = try connection.query(
            "SELECT prompt, input::text, allow_unknown FROM jobs WHERE id = $1",
            [.int(job.rawValue)]
        ).only()
        let before: String = try row[1]
        var input = before
        if !edit.input.isEmpty, var object = JSONValue.object(in: before) {
            for (key, value) in edit.input { object[key] = value == .null ? nil : value }
            input = JSONValue.object(object).json
        }
        _ = try connection.query(
            "UPDATE jobs SET state = 'queued', prompt = $1, input = $2::json, allow_unknown = $3 WHERE id = $4",
            [
                .text(try edit.prompt ?? row[0]), .text(input),
                .int(try edit.allowsUnknownFields.map { $0 ? 1 : 0 } ?? row[2]), .int(job.rawValue),
            ]
        )
    }

    /// Jobs that were named more than once: the second time they were what the first has made of them.
    static func note(
        again jobs: [JobID],
        _ connection: BlockingConnection,
        _ outcome: inout ChangeOutcome
    ) throws {
        var seen: Set<JobID> = []
        let again = jobs.filter { !seen.insert($0).inserted }
        guard !again.isEmpty else { return }
        let states = try locked(again, connection)
        for job in again {
            outcome.refused.append((job, states[job].map { "is \($0) already" } ?? "there is no such job"))
        }
    }

    static func reason(_ change: JobChange, _ state: JobState) -> String {
        guard case .retry = change else { return "has \(state.rawValue) already" }
        switch state {
        case .unconfirmed:
            return "is unconfirmed: an earlier request may have made a task; \(Advice.settle)"
        case .succeeded: return "has succeeded; add a new job to make another"
        case .queued, .submitting, .running, .failed, .cancelled:
            return "is \(state.rawValue); only failed and cancelled jobs can be tried again"
        }
    }

    // MARK: - What it means for money

    /// How many queued jobs would fail with some, because they take their results or those of one that does.
    static func followers(of jobs: [JobID], _ connection: BlockingConnection) throws -> Int {
        try connection.query(
            "SELECT count(*) FROM followers($1) AS f (id) WHERE f.id <> ALL ($1)",
            [.ints(jobs.map(\.rawValue))]
        ).only()[0]
    }

    /// How many that match are in a state.
    static func count(_ filter: JobFilter, _ state: JobState, _ connection: BlockingConnection) throws -> Int {
        guard filter.states.isEmpty || filter.states.contains(state) else { return 0 }
        var filter = filter
        filter.states = [state]
        guard filter.words.isEmpty, !filter.isImpossible else { return try MatchingJobs.ids(filter, connection).count }
        return try connection.query(
            SQL(pasted: "SELECT count(*) FROM jobs WHERE \(JobCondition.sql)"),
            JobCondition.arguments(filter)
        ).only()[0]
    }

    /// What the change means for money: the database's own triggers have decided what becomes of each job.
    static func count(
        _ jobs: [JobID],
        _ change: JobChange,
        _ connection: BlockingConnection,
        _ outcome: inout ChangeOutcome
    ) throws {
        for start in stride(from: 0, to: jobs.count, by: portion) {
            let ids = PostgresValue.ints(jobs[start..<min(start + portion, jobs.count)].map(\.rawValue))
            switch change {
            case .cancel: try countCancelled(ids, connection, &outcome)
            case .retry(let edit): try countRetried(ids, isEdited: edit != nil, connection, &outcome)
            }
        }
    }

    private static func countCancelled(
        _ ids: PostgresValue,
        _ connection: BlockingConnection,
        _ outcome: inout ChangeOutcome
    ) throws {
        let row = try connection.query(
            """
            SELECT count(DISTINCT job_id), coalesce(sum(reserved_millicredits + coalesce(charged_millicredits, 0)), 0)
            FROM attempts WHERE job_id = ANY ($1) AND state IN ('accepted', 'unknown')
                AND (finished_at IS NULL OR state = 'accepted' AND error_code IS NULL)
            """,
            [ids]
        ).only()
        outcome.atProvider += try row[0]
        outcome.staysCharged += Credits(millicredits: try row[1])
    }

    private static func countRetried(
        _ ids: PostgresValue,
        isEdited: Bool,
        _ connection: BlockingConnection,
        _ outcome: inout ChangeOutcome
    ) throws {
        let rows = try connection.query(retried, [ids, .bool(isEdited)])
        for row in rows {
            let jobs: Int = try row[3]
            let (state, mayGive): (String, Bool) = (try row[0], try row[1])
            if state == JobState.unconfirmed.rawValue {
                outcome.unconfirmed += jobs
                continue
            }
            if state == JobState.queued.rawValue {
                outcome.jobsToPay += jobs
            } else if mayGive {
                outcome.resumed += jobs
                continue
            } else {
                outcome.askedAgain += jobs
            }
            if try row[2] {
                outcome.toPay += Credits(millicredits: try row[4])
            } else {
                let first = QueuedJob(
                    id: JobID(try row[5]),
                    queue: try row[7],
                    model: try row[8],
                    prompt: try row[6],
                    input: try row[9],
                    allowsUnknownFields: try (row[10] as Int64) != 0
                )
                outcome.unpriced.append(UnpricedJobs(first: first, jobs: jobs))
            }
        }
    }

    /// The prompt is that of the first of each group. An estimate is firm if it is by the catalogue's price, and neither the operator nor
    /// the provider has said anything of the model since.
    private static let retried: SQL = """
        SELECT g.state, g.may_give, g.is_firm, g.jobs, g.estimated, f.id, f.prompt, f.queue, f.model, f.input::text, f.allow_unknown
        FROM (
            SELECT state, may_give, is_firm, count(*) AS jobs,
                sum(CASE WHEN is_firm THEN estimated_millicredits ELSE 0 END) AS estimated, min(id) AS first, model, input_text,
                length_of_prompt
            FROM (
                SELECT j.id, j.state, j.model, j.estimated_millicredits, j.allow_unknown, w.may_give, w.is_firm,
                    CASE WHEN NOT w.is_firm THEN j.input::text END AS input_text,
                    CASE WHEN NOT w.is_firm THEN length(j.prompt) END AS length_of_prompt
                FROM jobs AS j CROSS JOIN LATERAL (SELECT
                    NOT $2::boolean AND j.estimate_basis IS NOT DISTINCT FROM 'listed'
                        AND NOT EXISTS (SELECT 1 FROM prices AS p WHERE p.model = j.model)
                        AND NOT EXISTS (SELECT 1 FROM provider_models AS p WHERE p.model = j.model AND p.read_at > j.created_at)
                        AS is_firm,
                    EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = j.id AND a.state = 'accepted'
                        AND (a.finished_at IS NULL OR coalesce(a.error_code, '') NOT IN ('content_refused', 'input_unusable',
                            'invalid_input', 'task_failed', 'provider_fault'))) AS may_give) AS w
                WHERE j.id = ANY ($1)) AS j
            GROUP BY state, may_give, is_firm, model, input_text, length_of_prompt, allow_unknown) AS g
            JOIN jobs AS f ON f.id = g.first
        ORDER BY g.state, g.may_give, g.is_firm, g.model, g.input_text COLLATE "C" NULLS FIRST, g.length_of_prompt NULLS FIRST
        """
}
