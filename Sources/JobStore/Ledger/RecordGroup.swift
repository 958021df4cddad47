import GRDB
import PromptQueue

/// Answers and ends of many attempts, each kind by a few statements for all, within a transaction.
///
/// Where a trigger may refuse a statement, SQLite copies each page that it changes: many rows of one statement share the copies. What
/// is not as it nearly always is goes to `RecordWork`, one by one, and so does everything when a statement is refused, or when two of
/// the changes are of one job, whose order then matters: the transaction is undone and done again without groups (`GroupCommit`).
struct RecordGroup {
    /// Two changes are of one job.
    private struct NotApart: Error {}

    private let db: Database
    private let changes: [GroupedChange]
    private let lateArrival: Duration
    private var results: [CommitResult?]
    private var jobs: Set<Int64> = []

    private init(_ db: Database, _ changes: [GroupedChange], lateArrival: Duration) {
        self.db = db
        self.changes = changes
        self.lateArrival = lateArrival
        results = Array(repeating: nil, count: changes.count)
    }

    /// - Returns: the result of each change, in their order.
    static func carryOut(
        _ changes: [GroupedChange],
        lateArrival: Duration,
        _ db: Database
    ) throws -> [CommitResult] {
        var group = RecordGroup(db, changes, lateArrival: lateArrival)
        let (answers, ends) = group.alike()
        try group.accept(answers)
        try group.succeed(ends)
        return try group.others()
    }

    // MARK: - Which

    private struct Answer {
        var place: Int
        var attempt: AttemptID
        var task: TaskID
        var status: Int
    }

    private struct End {
        var place: Int
        var attempt: AttemptID
        var outputs: [TaskOutput]
        var charged: Credits?
        var isFetched: Bool
        var took: Duration?
    }

    /// Of attempts that are concerned once.
    private func alike() -> (answers: [Answer], ends: [End]) {
        var counts: [AttemptID: Int] = [:]
        for change in changes { if let attempt = change.change.attempt { counts[attempt, default: 0] += 1 } }
        var answers: [Answer] = []
        var ends: [End] = []
        for (place, change) in changes.enumerated() where change.isPlain {
            switch change.change {
            case .accepted(let attempt, let task, let status) where counts[attempt] == 1:
                answers.append(Answer(place: place, attempt: attempt, task: task, status: status))
            case .taskSucceeded(let attempt, let outputs, let charged, let fetch, let took, _)
            where counts[attempt] == 1:
                ends.append(
                    End(
                        place: place,
                        attempt: attempt,
                        outputs: outputs,
                        charged: charged,
                        isFetched: fetch,
                        took: took
                    )
                )
            default: break
            }
        }
        return (answers, ends)
    }

    private mutating func others() throws -> [CommitResult] {
        for (place, change) in changes.enumerated() where results[place] == nil {
            let work = change.work(db, lateArrival: lateArrival)
            if let attempt = change.change.attempt, let job = try work.job(of: attempt),
                jobs.contains(job.id.rawValue)
            {
                throw NotApart()
            }
            results[place] = try work.carryOut(change.change)
        }
        return results.compactMap(\.self)
    }

    // MARK: - Carrying out

    /// As `RecordWork.accepted` does.
    private mutating func accept(_ answers: [Answer]) throws {
        guard !answers.isEmpty else { return }
        let accepted = try jobs(
            """
            UPDATE attempts SET state = 'accepted', task_id = g.task, task_source = 'answer',
                answered_at = coalesce(answered_at, g.at), http_status = g.status, api_code = 200, error_code = NULL,
                message = NULL
            FROM (SELECT value ->> 0 AS attempt, value ->> 1 AS task, value ->> 2 AS status, value ->> 3 AS at
                FROM json_each(?)) AS g
            WHERE attempts.id = g.attempt AND +attempts.finished_at IS NULL AND +attempts.state = 'sending'
            RETURNING id, job_id
            """,
            answers.map { answer in
                [
                    .integer(answer.attempt.rawValue), .string(answer.task.rawValue), .integer(Int64(answer.status)),
                    at(answer.place),
                ]
            }
        )
        let known = answers.compactMap { answer in accepted[answer.attempt.rawValue].map { (answer, job: $0) } }
        let running = try rows(
            """
            UPDATE jobs SET state = 'running', task_id = g.task, error_code = NULL, error_message = NULL
            FROM (SELECT value ->> 0 AS job, value ->> 1 AS task FROM json_each(?)) AS g
            WHERE jobs.id = g.job AND +jobs.state IN ('submitting', 'unconfirmed')
            RETURNING id
            """,
            known.map { [.integer($0.job), .string($0.0.task.rawValue)] }
        )
        let changed = Set(running.map { $0[0] as Int64 })
        for (answer, job) in known {
            results[answer.place] = CommitResult(
                job: changed.contains(job)
                    ? RecordedJob(id: JobID(job), state: .running)
                    : try changes[answer.place].work(db, lateArrival: lateArrival).job(of: answer.attempt)
            )
        }
    }

    /// As `RecordWork.succeeded` does.
    private mutating func succeed(_ ends: [End]) throws {
        guard !ends.isEmpty else { return }
        let settled = try jobs(
            """
            UPDATE attempts SET finished_at = g.at, charged_millicredits = coalesce(g.charged, reserved_millicredits),
                charge_reported = g.charged IS NOT NULL, reserved_millicredits = 0, error_code = NULL, message = NULL,
                took_milliseconds = g.took, result_json = NULL
            FROM (SELECT value ->> 0 AS attempt, value ->> 1 AS charged, value ->> 2 AS took, value ->> 3 AS at
                FROM json_each(?)) AS g
            WHERE attempts.id = g.attempt AND +attempts.state = 'accepted' AND +attempts.finished_at IS NULL
            RETURNING id, job_id
            """,
            ends.map { end in
                [
                    .integer(end.attempt.rawValue), end.charged.map { .integer($0.millicredits) } ?? .null,
                    end.took.map { .integer(max(0, $0.milliseconds)) } ?? .null, at(end.place),
                ]
            }
        )
        let found = try rows(
            """
            SELECT id, state, (SELECT coalesce(max(ordinal) + 1, 0) FROM results WHERE job_id = jobs.id),
                EXISTS (SELECT 1 FROM job_inputs WHERE source_id = jobs.id)
            FROM jobs WHERE id IN (SELECT value ->> 0 FROM json_each(?))
            """,
            settled.values.map { [.integer($0)] }
        )
        var known: [Int64: SettledJob] = [:]
        for row in found {
            guard let state = JobState(rawValue: row[1]) else { continue }
            known[row[0]] = SettledJob(state: state, ordinal: row[2], feedsOthers: row[3])
        }
        var done: [(End, job: Int64, SettledJob)] = []
        for end in ends {
            guard let job = settled[end.attempt.rawValue] else { continue }
            // Its row may be gone.
            results[end.place] = CommitResult()
            if let state = known[job] { done.append((end, job, state)) }
        }
        try write(done)
    }

    private struct SettledJob {
        var state: JobState
        /// Of its next result.
        var ordinal: Int
        /// Whether other jobs take results of it.
        var feedsOthers: Bool

        var isWanted: Bool { state == .running }
    }

    /// What becomes of the jobs, and their results.
    private mutating func write(_ ends: [(End, job: Int64, SettledJob)]) throws {
        let over = ends.filter { end, _, job in job.isWanted && !end.isFetched }
        // Before their results are noted: a job with results to be fetched has not succeeded.
        _ = try rows(
            """
            UPDATE jobs SET state = 'succeeded', provider_state = 'success', finished_at = g.at, \(Settlement.booking)
            FROM (SELECT value ->> 0 AS job, value ->> 1 AS at FROM json_each(?)) AS g WHERE jobs.id = g.job
            """,
            over.map { [.integer($0.job), at($0.0.place)] }
        )
        _ = try rows(
            "UPDATE jobs SET \(Settlement.booking) WHERE id IN (SELECT value ->> 0 FROM json_each(?))",
            ends.filter { end, _, job in !job.isWanted || end.isFetched }.map { [.integer($0.job)] }
        )
        _ = try rows(
            """
            INSERT INTO results (job_id, ordinal, attempt_id, role, url, state, error_message, created_at)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
            FROM json_each(?) ORDER BY key
            """,
            ends.flatMap { end, job, state in
                zip(state.ordinal..., end.outputs).map { ordinal, output in
                    guard case .file(let url) = output.content else { preconditionFailure("it is not plain") }
                    return [
                        .integer(job), .integer(Int64(ordinal)), .integer(end.attempt.rawValue),
                        .string(BoundedText.word(output.role)), .string(url),
                        .string((state.isWanted ? ResultState.pending : .failed).rawValue),
                        state.isWanted ? .null : .string(LedgerMessages.cancelledBeforeDownload), at(end.place),
                    ]
                }
            }
        )
        _ = try rows(
            "UPDATE jobs SET provider_state = 'success' WHERE id IN (SELECT value ->> 0 FROM json_each(?))",
            ends.filter { end, _, job in job.isWanted && end.isFetched }.map { [.integer($0.job)] }
        )
        for (end, job, state) in ends {
            var result = CommitResult(job: RecordedJob(id: JobID(job), state: state.state))
            if state.isWanted, end.isFetched { result.downloads = try SQLiteLedger.pendingDownloads(db, job: job) }
            if state.isWanted, !end.isFetched {
                result.job?.state = .succeeded
                result.feedsOthers = state.feedsOthers
            }
            results[end.place] = result
        }
    }

    // MARK: - Statements

    private func at(_ place: Int) -> JSONValue { .integer(changes[place].now.milliseconds) }

    /// The job of each attempt that a statement has changed.
    private mutating func jobs(_ sql: String, _ values: [[JSONValue]]) throws -> [Int64: Int64] {
        var found: [Int64: Int64] = [:]
        for row in try rows(sql, values) {
            let job: Int64 = row[1]
            guard jobs.insert(job).inserted else { throw NotApart() }
            found[row[0]] = job
        }
        return found
    }

    /// Runs a statement for many rows of values.
    private func rows(_ sql: String, _ values: [[JSONValue]]) throws -> [Row] {
        guard !values.isEmpty else { return [] }
        let statement = try db.cachedStatement(sql: sql)
        statement.setUncheckedArguments([JSONValue.array(values.map { .array($0) }).json])
        return try Row.fetchAll(statement)
    }
}
