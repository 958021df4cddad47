import GRDB
package import PromptQueue

extension SQLiteLedger {
    package func claim(
        _ request: ClaimRequest,
        prepare: @escaping @Sendable (QueuedJob) -> Preparation
    ) async throws(LedgerError) -> Claim {
        try await commits.commit { db in
            var work = ClaimWork(request: request, prepare: prepare)
            return try work.run(db)
        }
    }
}

/// One claim, inside its transaction.
///
/// The order is by priority (higher first), then `run_at`, then id, over all queues that are open. Each queue gives its
/// best job by a seek in `jobs_claim` for each priority it holds, so the cost does not grow with the backlog, nor with
/// what is scheduled for later or waits in paused queues.
struct ClaimWork {
    let request: ClaimRequest
    let prepare: @Sendable (QueuedJob) -> Preparation

    private var claim = Claim()
    private var budgets: [BudgetRoom] = []
    private var reserve: ReserveRoom?
    private var generator = SystemRandomNumberGenerator()

    /// A queue with the jobs fetched from its head and not yet taken.
    private struct Head {
        var queue: String
        /// How many more of its jobs may run; nil without a limit of its own.
        var room: Int?
        var jobs: ArraySlice<Candidate> = []
        /// Whether the database may hold more jobs behind these.
        var mayHaveMore = true
    }

    private struct Candidate {
        var job: QueuedJob
        var priority: Int64
        var runAt: Int64
        var attemptCount: Int
        var maxAttempts: Int
    }

    private struct BudgetRoom {
        var name: String
        var queue: String?
        var left: Int64
    }

    /// Jobs that are refused cost no slot, but time: the transaction stays short.
    private static let maximumRefusals = 200

    init(request: ClaimRequest, prepare: @escaping @Sendable (QueuedJob) -> Preparation) {
        self.request = request
        self.prepare = prepare
    }

    mutating func run(_ db: Database) throws -> Claim {
        var limit = min(request.limit, try freePlaces(db))
        limit = min(limit, try freeSlots(db))
        var heads = try openQueues(db)
        guard limit > 0 else {
            claim.hasMore = !heads.isEmpty
            claim.nextRunAt = try nextRunAt(db)
            return claim
        }
        budgets = try budgetRooms(db)
        reserve = try ReserveRoom(request, db)
        while claim.jobs.count < limit, claim.refused.count < Self.maximumRefusals {
            for index in heads.indices where heads[index].jobs.isEmpty && heads[index].mayHaveMore {
                try fill(&heads[index], count: limit - claim.jobs.count, db)
            }
            heads.removeAll { $0.jobs.isEmpty }
            guard let best = heads.indices.min(by: { Self.precedes(heads[$0], heads[$1]) }) else { break }
            let candidate = heads[best].jobs.removeFirst()
            guard try take(candidate, db) else {
                // The job does not fit a budget. The queue waits with it: its order is kept, and a dear job is not
                // overtaken for ever by cheap ones.
                heads.remove(at: best)
                continue
            }
            if let room = heads[best].room, !claim.jobs.isEmpty, claim.jobs.last?.job == candidate.job.id {
                heads[best].room = room - 1
                if room <= 1 {
                    claim.waitsForPlace = true
                    heads.remove(at: best)
                }
            }
        }
        claim.hasMore = claim.jobs.count >= limit || claim.refused.count >= Self.maximumRefusals
        claim.nextRunAt = try nextRunAt(db)
        return claim
    }

    private static func precedes(_ left: Head, _ right: Head) -> Bool {
        guard let left = left.jobs.first, let right = right.jobs.first else { return !left.jobs.isEmpty }
        return (-left.priority, left.runAt, left.job.id.rawValue) < (
            -right.priority, right.runAt, right.job.id.rawValue
        )
    }

    // MARK: - Limits, counted in the ledger

    private func freePlaces(_ db: Database) throws -> Int {
        let running = try Int.fetchOne(
            db.cachedStatement(
                sql: "SELECT count(*) FROM attempts WHERE finished_at IS NULL AND state IN ('sending', 'accepted')"
            )
        )
        return request.runningLimit - (running ?? 0)
    }

    private mutating func freeSlots(_ db: Database) throws -> Int {
        let window = request.rate.window
        let sending = try Int.fetchOne(
            db.cachedStatement(sql: "SELECT count(*) FROM attempts WHERE state = 'sending'")
        )
        // Instants beyond one window from now are from before the clock was set back, and say nothing.
        let since = (request.now - window).milliseconds
        let until = (request.now + window).milliseconds
        let answered = try Int.fetchOne(
            db.cachedStatement(sql: "SELECT count(*) FROM attempts WHERE answered_at > ? AND answered_at <= ?"),
            arguments: [since, until]
        )
        let free = request.rate.count - (sending ?? 0) - (answered ?? 0)
        if free <= 0, let answered, answered > 0 {
            let oldest = try Int64.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT answered_at FROM attempts WHERE answered_at > ? AND answered_at <= ?
                        ORDER BY answered_at LIMIT 1 OFFSET ?
                        """
                ),
                arguments: [since, until, min(-free, answered - 1)]
            )
            claim.nextSlotAt = oldest.map { Instant(milliseconds: $0) + window }
        }
        return free
    }

    private mutating func openQueues(_ db: Database) throws -> [Head] {
        let rows =
            try Row
            .fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT q.name, q.max_running, (
                            SELECT coalesce(sum(r.jobs), 0) FROM queue_counts AS r
                            WHERE r.queue = q.name AND r.state IN ('submitting', 'running')) AS running
                        FROM queues AS q JOIN queue_counts AS c ON c.queue = q.name AND c.state = 'queued'
                        WHERE NOT q.paused AND c.jobs > 0
                        """
                )
            )
        return rows.compactMap { row in
            let maximum: Int? = row["max_running"]
            let running: Int = row["running"]
            let room = maximum.map { $0 - running }
            if let room, room <= 0 {
                claim.waitsForPlace = true
                return nil
            }
            return Head(queue: row["name"], room: room)
        }
    }

    private func budgetRooms(_ db: Database) throws -> [BudgetRoom] {
        let budgets = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT name, queue, limit_millicredits, CASE period
                        WHEN 'hour' THEN :now / 3600000 * 3600000
                        WHEN 'day' THEN :now / 86400000 * 86400000
                        -- 1970-01-01 was a Thursday; weeks start on Monday.
                        WHEN 'week' THEN (:now / 86400000 - (:now / 86400000 + 3) % 7) * 86400000
                        WHEN 'month' THEN unixepoch(:now / 1000, 'unixepoch', 'start of month') * 1000
                        ELSE 0 END AS starts_at
                    FROM budgets
                    """
            ),
            arguments: ["now": request.now.milliseconds]
        )
        return try budgets.map { row in
            let queue: String? = row["queue"]
            let starts: Int64 = row["starts_at"]
            let committed = try Int64.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT coalesce(sum(reserved_millicredits + coalesce(charged_millicredits, 0)), 0)
                        FROM attempts WHERE sent_at >= ?1 AND (?2 IS NULL OR queue = ?2)
                        """
                ),
                arguments: [starts, queue]
            )
            return BudgetRoom(name: row["name"], queue: queue, left: row["limit_millicredits"] - (committed ?? 0))
        }
    }

    // MARK: - Jobs

    private func fill(_ head: inout Head, count: Int, _ db: Database) throws {
        head.mayHaveMore = false
        var priority = try Int64.fetchOne(
            db.cachedStatement(
                sql: "SELECT priority FROM jobs WHERE state = 'queued' AND queue = ? ORDER BY priority DESC LIMIT 1"
            ),
            arguments: [head.queue]
        )
        while let current = priority {
            let filter =
                request.closedModels.isEmpty ? "" : "AND model NOT IN (SELECT value FROM json_each(:closed))"
            let found = try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT id, model, prompt, input, run_at, attempt_count, max_attempts FROM jobs
                        WHERE state = 'queued' AND queue = :queue AND priority = :priority AND run_at <= :now \(filter)
                        ORDER BY run_at, id LIMIT :count
                        """
                ),
                arguments: StatementArguments(
                    [
                        "queue": head.queue, "priority": current, "now": request.now.milliseconds, "count": count,
                    ] as [String: any DatabaseValueConvertible]
                ) + (request.closedModels.isEmpty ? [] : ["closed": Self.json(request.closedModels)])
            )
            if !found.isEmpty {
                head.jobs = ArraySlice(found.map { Self.candidate($0, queue: head.queue, priority: current) })
                // What is taken or refused leaves the index, so the next fetch starts where this one ends.
                head.mayHaveMore = true
                return
            }
            priority = try Int64.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT priority FROM jobs WHERE state = 'queued' AND queue = ? AND priority < ?
                        ORDER BY priority DESC LIMIT 1
                        """
                ),
                arguments: [head.queue, current]
            )
        }
    }

    private static func json(_ names: Set<String>) -> String {
        JSONValue.array(names.sorted().map { .string($0) }).json
    }

    private static func candidate(_ row: Row, queue: String, priority: Int64) -> Candidate {
        Candidate(
            job: QueuedJob(
                id: JobID(row["id"]),
                queue: queue,
                model: row["model"],
                prompt: row["prompt"],
                input: row["input"]
            ),
            priority: priority,
            runAt: row["run_at"],
            attemptCount: row["attempt_count"],
            maxAttempts: row["max_attempts"]
        )
    }

    /// Claims or refuses a job; false when it has to wait for a budget.
    private mutating func take(_ candidate: Candidate, _ db: Database) throws -> Bool {
        let job = candidate.job
        switch prepare(job) {
        case .refused(let refusal):
            try refuse(job, refusal, db)
        case .ready(let prepared):
            let reserved = prepared.estimate.credits ?? request.unlistedPrice
            let concerned = budgets.indices.filter { budgets[$0].queue == nil || budgets[$0].queue == job.queue }
            if let full = concerned.first(where: { budgets[$0].left < reserved.millicredits }) {
                claim.budgetHolds.append(BudgetHold(budget: budgets[full].name, queue: job.queue))
                return false
            }
            if let hold = reserve?.take(reserved) {
                claim.reserveHold = hold
                return false
            }
            for index in concerned { budgets[index].left -= reserved.millicredits }
            try insert(candidate, prepared, reserved: reserved, db)
        }
        return true
    }

    private mutating func refuse(_ job: QueuedJob, _ refusal: Refusal, _ db: Database) throws {
        let message = refusal.description
        try db.cachedStatement(
            sql: """
                UPDATE jobs SET state = 'failed', finished_at = ?, error_code = ?, error_message = ? WHERE id = ?
                """
        )
        .execute(arguments: [request.now.milliseconds, refusal.code.rawValue, message, job.id.rawValue])
        claim.refused.append(RefusedJob(job: job.id, code: refusal.code, message: message))
    }

    private mutating func insert(
        _ candidate: Candidate,
        _ prepared: PreparedInput,
        reserved: Credits,
        _ db: Database
    ) throws {
        let job = candidate.job
        let token = AttemptToken.random(using: &generator)
        try db.cachedStatement(
            sql: """
                INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
                VALUES (?, ?, ?, ?, ?, ?)
                """
        )
        .execute(arguments: [
            job.id.rawValue, token.rawValue, job.queue, job.model, request.now.milliseconds, reserved.millicredits,
        ])
        let attempt = AttemptID(db.lastInsertedRowID)
        try db.cachedStatement(
            sql: """
                UPDATE jobs SET state = 'submitting', attempt_count = attempt_count + 1, estimated_millicredits = ?,
                    submitted_at = ?, error_code = NULL, error_message = NULL
                WHERE id = ?
                """
        )
        .execute(arguments: [reserved.millicredits, request.now.milliseconds, job.id.rawValue])
        claim.jobs.append(
            ClaimedJob(
                attempt: attempt,
                token: token,
                job: job.id,
                queue: job.queue,
                model: job.model,
                input: prepared.input,
                reserved: reserved,
                attemptCount: candidate.attemptCount + 1,
                maxAttempts: candidate.maxAttempts
            )
        )
    }

    private func nextRunAt(_ db: Database) throws -> Instant? {
        try Int64
            .fetchOne(
                db.cachedStatement(
                    sql:
                        "SELECT run_at FROM jobs WHERE state = 'queued' AND run_at > 0 AND run_at > ? ORDER BY run_at LIMIT 1"
                ),
                arguments: [request.now.milliseconds]
            )
            .map(Instant.init(milliseconds:))
    }
}
