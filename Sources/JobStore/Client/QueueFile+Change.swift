import FoundationEssentials
import GRDB
package import PromptQueue

extension QueueFile {
    /// Changes the jobs that can be changed; the others are named with the reason, in the database's own words.
    package func apply(_ change: JobChange, to ids: [JobID], dryRun: Bool) throws(LedgerError) -> ChangeOutcome {
        try write(dryRun: dryRun) { db in
            var outcome = ChangeOutcome()
            var changed: [JobID] = []
            if case .cancel = change { outcome.followers = try Self.followers(of: ids, db) }
            // Of a chain the last is cancelled first, and the first tried again first: that way none is in the others' way.
            for id in Self.ordered(ids, change) {
                let state = try String.fetchOne(
                    db.cachedStatement(sql: "SELECT state FROM jobs WHERE id = ?"),
                    arguments: [id.rawValue]
                )
                guard let state else {
                    outcome.refused.append((id, "there is no such job"))
                    continue
                }
                guard state != change.target.rawValue else {
                    outcome.refused.append((id, "is \(state) already"))
                    continue
                }
                if case .retry(nil) = change, state == JobState.running.rawValue, try SQLiteLedger.release(id, db) {
                    outcome.changed += 1
                    outcome.resumed += 1
                    continue
                }
                if let state = JobState(rawValue: state), !change.origins.contains(state), state != .submitting {
                    outcome.refused.append((id, Self.reason(change, state)))
                    continue
                }
                if try Self.tryApplying(change, id, db, &outcome) { changed.append(id) }
            }
            try Self.count(changed, change, db, &outcome)
            let order = Dictionary(ids.enumerated().map { ($1, $0) }) { first, _ in first }
            outcome.refused.sort { (order[$0.job] ?? 0, $0.job.rawValue) < (order[$1.job] ?? 0, $1.job.rawValue) }
            return outcome
        }
    }

    /// Changes all jobs that match and that can be changed.
    package func apply(
        _ change: JobChange,
        matching filter: JobFilter,
        dryRun: Bool
    ) throws(LedgerError) -> ChangeOutcome {
        var own = filter
        own.states = filter.states.isEmpty ? change.usualOrigins : filter.states.intersection(change.origins)
        return try write(dryRun: dryRun) { [own] db in
            var outcome = ChangeOutcome()
            // Before the change, which makes some of these.
            switch change {
            case .cancel:
                outcome.beingSent = try Self.count(filter, .submitting, db)
            case .retry:
                if filter.states.isEmpty { outcome.leftCancelled = try Self.count(filter, .cancelled, db) }
            }
            guard !own.states.isEmpty else { return outcome }
            let (condition, arguments) = own.condition
            var changed = Self.ordered(
                try Int64.fetchAll(db, sql: "SELECT id FROM jobs WHERE \(condition)", arguments: arguments)
                    .map { JobID($0) },
                change
            )
            if case .cancel = change { outcome.followers = try Self.followers(of: changed, db) }
            if try Self.applyToAll(change, changed.count, condition, arguments, db) {
                outcome.changed = changed.count
            } else {
                changed = try changed.filter { try Self.tryApplying(change, $0, db, &outcome) }
            }
            try Self.count(changed, change, db, &outcome)
            return outcome
        }
    }

    private static func ordered(_ jobs: [JobID], _ change: JobChange) -> [JobID] {
        switch change {
        case .cancel: jobs.sorted { $0.rawValue > $1.rawValue }
        case .retry: jobs.sorted { $0.rawValue < $1.rawValue }
        }
    }

    /// All in one statement, which others wait for a tenth of the time.
    ///
    /// - Returns: false if the database refuses one of them; then none is changed.
    private static func applyToAll(
        _ change: JobChange,
        _ count: Int,
        _ condition: String,
        _ arguments: StatementArguments,
        _ db: Database
    ) throws -> Bool {
        if case .retry(.some) = change { return false }
        do {
            var isDone = false
            try db.inSavepoint {
                try db.execute(
                    sql: "UPDATE jobs SET state = '\(change.target.rawValue)' WHERE \(condition)",
                    arguments: arguments
                )
                isDone = db.changesCount == count
                return isDone ? .commit : .rollback
            }
            return isDone
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            return false
        }
    }

    /// - Returns: whether the database has let it.
    private static func tryApplying(
        _ change: JobChange,
        _ id: JobID,
        _ db: Database,
        _ outcome: inout ChangeOutcome
    ) throws -> Bool {
        do {
            try db.inSavepoint {
                try apply(change, id, db)
                return .commit
            }
            outcome.changed += 1
            return true
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            outcome.refused.append((id, error.message ?? "refused by the database"))
            return false
        }
    }

    private static func apply(_ change: JobChange, _ id: JobID, _ db: Database) throws {
        guard case .retry(let edit?) = change else {
            try db.cachedStatement(sql: "UPDATE jobs SET state = ? WHERE id = ?")
                .execute(arguments: [change.target.rawValue, id.rawValue])
            return
        }
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT prompt, input, allow_unknown FROM jobs WHERE id = ?"),
            arguments: [id.rawValue]
        )
        guard let row else { return }
        try StoredText.check(edit.prompt, "jobs.prompt")
        let before: String = row["input"]
        var input = before
        if !edit.input.isEmpty, var object = JSONValue.object(in: before) {
            for (key, value) in edit.input { object[key] = value == .null ? nil : value }
            input = JSONValue.object(object).json
        }
        try db.cachedStatement(
            sql: "UPDATE jobs SET state = 'queued', prompt = ?, input = ?, allow_unknown = ? WHERE id = ?"
        )
        .execute(arguments: [
            edit.prompt ?? row["prompt"], input, edit.allowsUnknownFields ?? row["allow_unknown"], id.rawValue,
        ])
    }

    /// How many that match are in a state.
    private static func count(_ filter: JobFilter, _ state: JobState, _ db: Database) throws -> Int {
        guard filter.states.isEmpty || filter.states.contains(state) else { return 0 }
        var filter = filter
        filter.states = [state]
        let (condition, arguments) = filter.condition
        return try Int.fetchOne(db, sql: "SELECT count(*) FROM jobs WHERE \(condition)", arguments: arguments) ?? 0
    }

    /// What the change means for money: the database's own triggers have decided what becomes of each job.
    private static func count(
        _ jobs: [JobID],
        _ change: JobChange,
        _ db: Database,
        _ outcome: inout ChangeOutcome
    ) throws {
        for start in stride(from: 0, to: jobs.count, by: 10_000) {
            let ids = JSONValue.array(jobs[start..<min(start + 10_000, jobs.count)].map { .integer($0.rawValue) }).json
            switch change {
            case .cancel: try countCancelled(ids, db, &outcome)
            case .retry(let edit): try countRetried(ids, isEdited: edit != nil, db, &outcome)
            }
        }
    }

    private static func countCancelled(_ ids: String, _ db: Database, _ outcome: inout ChangeOutcome) throws {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT count(DISTINCT job_id), coalesce(sum(reserved_millicredits + coalesce(charged_millicredits, 0)), 0)
                    FROM attempts WHERE job_id IN (SELECT value FROM json_each(?)) AND state IN ('accepted', 'unknown')
                        AND (finished_at IS NULL OR state = 'accepted' AND error_code IS NULL)
                    """
            ),
            arguments: [ids]
        )
        guard let row else { return }
        outcome.atProvider += row[0] as Int
        outcome.staysCharged += Credits(millicredits: row[1])
    }

    private static func countRetried(
        _ ids: String,
        isEdited: Bool,
        _ db: Database,
        _ outcome: inout ChangeOutcome
    ) throws {
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT state, may_give, is_firm, count(*), sum(iif(is_firm, estimated_millicredits, 0)),
                        -- The prompt is that of the first.
                        min(id), prompt, queue, model, input, allow_unknown
                    FROM (SELECT *, \(JobEstimate.isFirm) AND NOT ?2 AS is_firm,
                            EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = jobs.id AND a.state = 'accepted'
                                AND (a.finished_at IS NULL OR coalesce(a.error_code, '') NOT IN ('content_refused',
                                    'input_unusable', 'invalid_input', 'task_failed', 'provider_fault'))) AS may_give
                        FROM jobs WHERE id IN (SELECT value FROM json_each(?1)))
                    GROUP BY 1, 2, 3, model, iif(is_firm, NULL, input), iif(is_firm, NULL, length(prompt)), allow_unknown
                    """
            ),
            arguments: [ids, isEdited]
        )
        while let row = try rows.next() {
            let jobs: Int = row[3]
            switch row[0] as String {
            case JobState.queued.rawValue: outcome.jobsToPay += jobs
            case JobState.unconfirmed.rawValue:
                outcome.unconfirmed += jobs
                continue
            case _ where row[1]:
                outcome.resumed += jobs
                continue
            default: outcome.askedAgain += jobs
            }
            if row[2] {
                outcome.toPay += Credits(millicredits: row[4])
            } else {
                let first = QueuedJob(
                    id: JobID(row[5]),
                    queue: row[7],
                    model: row[8],
                    prompt: row[6],
                    input: row[9],
                    allowsUnknownFields: row[10]
                )
                outcome.unpriced.append(UnpricedJobs(first: first, jobs: jobs))
            }
        }
    }

    private static func reason(_ change: JobChange, _ state: JobState) -> String {
        guard case .retry = change else { return "has \(state.rawValue) already" }
        switch state {
        case .unconfirmed:
            return "is unconfirmed: an earlier request may have made a task; \(Advice.settle)"
        case .succeeded: return "has succeeded; add a new job to make another"
        case .queued, .submitting, .running, .failed, .cancelled:
            return "is \(state.rawValue); only failed and cancelled jobs can be tried again"
        }
    }
}
