import GRDB
package import PromptQueue
import Synchronization

extension SQLiteLedger {
    package func claim(
        _ request: ClaimRequest,
        prepare: @escaping @Sendable (QueuedJob) -> Preparation
    ) async throws(LedgerError) -> Claim {
        try await commits.commit { [self] db in
            var work = ClaimWork(request: request, rotation: rotation.withLock { $0 }, prepare: prepare)
            let claim = try work.run(db)
            // A transaction that fails afterwards has only moved a turn.
            rotation.withLock { [work] in $0 = work.rotation }
            return claim
        }
    }
}

/// One claim, inside its transaction.
///
/// The order is by priority (higher first). Among equals the queues take turns, and within a queue `jobs.turn` decides,
/// which makes its batches take turns. Each queue gives its best job of each model by one seek in `jobs_claim`, so the cost
/// does not grow with the backlog, nor with what is scheduled for later, waits in paused queues, or is for models that are
/// switched off.
struct ClaimWork {
    let request: ClaimRequest
    let prepare: @Sendable (QueuedJob) -> Preparation
    private(set) var rotation: QueueRotation

    var claim = Claim()
    private var budgets: [BudgetRoom] = []
    /// How many more jobs of a queue may run; absent without a limit of its own.
    var rooms: [String: Int] = [:]
    private var prices = ClaimPrices()
    private var reserve: ReserveRoom?
    private var generator = SystemRandomNumberGenerator()

    /// Jobs that are refused cost no slot, but time: the transaction stays short.
    private static let maximumRefusals = 200
    /// How many jobs of one queue and model are looked past because they do not fit a budget.
    private static let maximumSkips = 100

    init(
        request: ClaimRequest,
        rotation: QueueRotation,
        prepare: @escaping @Sendable (QueuedJob) -> Preparation
    ) {
        self.request = request
        self.rotation = rotation
        self.prepare = prepare
    }

    mutating func run(_ db: Database) throws -> Claim {
        let mayHaveUnserved = try giveTurns(db)
        var limit = min(request.limit, try freePlaces(db))
        limit = min(limit, try freeSlots(db))
        var heads = try openHeads(db)
        claim.nextRunAt = try nextRunAt(db)
        guard limit > 0 else {
            claim.hasMore = !heads.isEmpty || mayHaveUnserved
            return claim
        }
        budgets = try BudgetRoom.all(db, at: request.now)
        reserve = try ReserveRoom(request, db)
        while claim.jobs.count < limit, claim.refused.count < Self.maximumRefusals {
            for index in heads.indices where heads[index].jobs.isEmpty && heads[index].mayHaveMore {
                try fill(&heads[index], count: limit - claim.jobs.count, db)
            }
            heads.removeAll { $0.jobs.isEmpty }
            guard let best = next(of: heads) else { break }
            try takeFirst(of: best, &heads, db)
        }
        claim.hasMore =
            mayHaveUnserved || claim.jobs.count >= limit || claim.refused.count >= Self.maximumRefusals
            // Which queues a budget holds shows when nothing more of them can be taken.
            || (claim.waitsForBudget && !claim.jobs.isEmpty)
        try noteTurns(db)
        noteHolds(left: heads)
        rotation.keep(Set(heads.map(\.queue)))
        return claim
    }

    /// The head whose job is next: of the queues with a job of the highest priority the one that was served longest ago,
    /// and within it the lowest turn.
    private func next(of heads: [ClaimHead]) -> Int? {
        guard let highest = heads.compactMap({ $0.jobs.first?.priority }).max() else { return nil }
        let best = heads.indices.filter { heads[$0].jobs.first?.priority == highest }
        let queue = best.min { left, right in
            let one = (rotation.lastTurn(of: heads[left].queue), heads[left].jobs.first?.job.id.rawValue ?? 0)
            return one < (rotation.lastTurn(of: heads[right].queue), heads[right].jobs.first?.job.id.rawValue ?? 0)
        }
        guard let queue else { return nil }
        return best.filter { heads[$0].queue == heads[queue].queue }
            .min { left, right in
                let one = (heads[left].jobs.first?.turn ?? 0, heads[left].jobs.first?.job.id.rawValue ?? 0)
                return one < (heads[right].jobs.first?.turn ?? 0, heads[right].jobs.first?.job.id.rawValue ?? 0)
            }
    }

    // MARK: - Jobs

    /// Claims, refuses or looks past the first job of a head.
    private mutating func takeFirst(of index: Int, _ heads: inout [ClaimHead], _ db: Database) throws {
        let candidate = heads[index].jobs.removeFirst()
        let job = candidate.job
        switch prepare(job) {
        case .refused(let refusal):
            try refuse(job, refusal, db)
        case .ready(let prepared):
            let estimate = try prices.estimate(of: prepared, model: job.model, db)
            let reserved = estimate.credits
            let concerned = budgets.indices.filter { budgets[$0].queue == nil || budgets[$0].queue == job.queue }
            if let full = concerned.first(where: { budgets[$0].left < reserved.millicredits }) {
                // It waits, and is the first again at the next claim. Cheaper ones go on meanwhile.
                claim.waitsForBudget = true
                let hold = BudgetHold(budget: budgets[full].name, queue: job.queue)
                if claim.budgetSkips[hold] == nil { claim.budgetSkips[hold] = budgets[full].skip(of: reserved) }
                heads[index].skipped += 1
                if heads[index].skipped >= Self.maximumSkips { heads.remove(at: index) }
                return
            }
            if let hold = reserve?.take(reserved) {
                // It concerns the account, so everything waits with this job: the order is kept.
                claim.reserveHold = hold
                heads.removeAll()
                return
            }
            for index in concerned { budgets[index].left -= reserved.millicredits }
            try insert(candidate, prepared, estimate, db)
            rotation.serve(job.queue)
            if heads[index].isProbe { heads.remove(at: index) }
            if let room = rooms[job.queue] {
                rooms[job.queue] = room - 1
                if room <= 1 {
                    claim.waitsForPlace = true
                    heads.removeAll { $0.queue == job.queue }
                }
            }
        }
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
        _ candidate: ClaimHead.Candidate,
        _ prepared: PreparedInput,
        _ estimate: Estimate,
        _ db: Database
    ) throws {
        let job = candidate.job
        let reserved = estimate.credits
        let token = AttemptToken.random(at: request.now, using: &generator)
        try Self.run(
            """
            INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits,
                estimated_millicredits, estimate_basis, profile)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8)
            """,
            [
                job.id.rawValue, token.rawValue, job.queue, job.model, request.now.milliseconds, reserved.millicredits,
                estimate.kind.rawValue, CompletionProfile.text(of: prepared.input),
            ],
            db
        )
        let attempt = AttemptID(db.lastInsertedRowID)
        try Self.run(
            """
            UPDATE jobs SET state = 'submitting', attempt_count = attempt_count + 1, estimated_millicredits = ?,
                estimate_basis = ?, submitted_at = ?, error_code = NULL, error_message = NULL
            WHERE id = ?
            """,
            [reserved.millicredits, estimate.kind.rawValue, request.now.milliseconds, job.id.rawValue],
            db
        )
        let lane = ServedLane(queue: job.queue, priority: candidate.priority)
        served[lane] = max(served[lane] ?? candidate.turn, candidate.turn)
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

    private static func run(_ sql: String, _ arguments: StatementArguments, _ db: Database) throws {
        let statement = try db.cachedStatement(sql: sql)
        // They are as many as the statement takes: they need not be counted for each job.
        statement.setUncheckedArguments(arguments)
        try statement.execute()
    }

    /// Says which queues a budget holds: those of which nothing was taken and nothing else is left to be taken.
    private mutating func noteHolds(left heads: [ClaimHead]) {
        let others = Set(claim.jobs.map(\.queue)).union(heads.lazy.filter { !$0.jobs.isEmpty }.map(\.queue))
        claim.budgetHolds = claim.budgetSkips.keys.filter { !others.contains($0.queue) }
            .sorted { ($0.queue, $0.budget) < ($1.queue, $1.budget) }
    }

    // MARK: - Turns

    private struct ServedLane: Hashable {
        var queue: String
        var priority: Int64
    }

    private var served: [ServedLane: Int64] = [:]

    /// How many jobs that have become due get their turn in one claim.
    private static let maximumTurns = 500

    /// Gives a turn to each job that has become due; true when there may be more of them.
    private func giveTurns(_ db: Database) throws -> Bool {
        let due = try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT id FROM jobs WHERE state = 'queued' AND turn IS NULL AND run_at <= ?
                    ORDER BY run_at, id LIMIT ?
                    """
            ),
            arguments: [request.now.milliseconds, Self.maximumTurns]
        )
        guard !due.isEmpty else { return false }
        let ask = try db.cachedStatement(sql: "UPDATE jobs SET turn = -1 WHERE id = ?")
        for id in due { try ask.execute(arguments: [id]) }
        return due.count == Self.maximumTurns
    }

    /// Notes how far the turns have come, which is where a batch that comes later begins.
    private func noteTurns(_ db: Database) throws {
        for (lane, turn) in served {
            try db.cachedStatement(
                sql: """
                    INSERT INTO turns_served (queue, priority, turn) VALUES (?, ?, ?)
                    ON CONFLICT (queue, priority) DO UPDATE SET turn = excluded.turn WHERE excluded.turn > turn
                    """
            )
            .execute(arguments: [lane.queue, lane.priority, turn])
        }
    }

    private func nextRunAt(_ db: Database) throws -> Instant? {
        try Int64
            .fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT run_at FROM jobs WHERE state = 'queued' AND turn IS NULL AND run_at > ?
                        ORDER BY run_at LIMIT 1
                        """
                ),
                arguments: [request.now.milliseconds]
            )
            .map(Instant.init(milliseconds:))
    }
}
