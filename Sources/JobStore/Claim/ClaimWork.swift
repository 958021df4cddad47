import GRDB
import PromptQueue

/// A job as it was when it was prepared.
struct PreparedJob: Sendable {
    var job: QueuedJob
    var preparation: Preparation
}

/// One claim, inside its transaction.
///
/// The order is by priority (higher first). Among equals the queues take turns, and within a queue `jobs.turn` decides,
/// which makes its batches take turns. Only the queues that come next are looked at, and each gives its best job of each
/// model by one seek in `jobs_claim`: the cost does not grow with the backlog, nor with the number of queues, nor with what
/// is scheduled for later or is for models that are switched off.
struct ClaimWork {
    let request: ClaimRequest
    /// For how long a request whose answer was lost keeps its slot.
    let lateArrival: Duration
    let prepared: [JobID: PreparedJob]
    /// How many jobs are found that still have to be prepared.
    let lookahead: Int
    var rotation: QueueRotation

    var claim = Claim()
    /// Jobs that have to be prepared before they can be claimed.
    var missing: [QueuedJob] = []
    private var limit = 0
    private var budgets: [BudgetHeadroom] = []
    /// How many more jobs of a queue may run; absent without a limit of its own.
    var rooms: [ExactText: Int] = [:]
    private var prices = ClaimPrices()
    private var reserve: ReserveRoom?
    private var isHeldForReserve = false
    private var generator = SystemRandomNumberGenerator()
    /// Queues of which something was left that could be claimed but for want of room.
    private var othersLeft: Set<ExactText> = []
    /// The highest turn that was taken, by queue and priority.
    var served: [ServedLane: Int64] = [:]
    /// The job that is being written.
    var current: JobID?

    /// Jobs that are refused cost no slot, but time: the transaction stays short.
    static let maximumRefusals = 200
    /// How many jobs one claim sets aside.
    static let maximumSetAside = 20
    /// How many jobs of one queue and model are skipped because they do not fit a budget.
    private static let maximumSkips = 100

    init(
        request: ClaimRequest,
        lateArrival: Duration,
        rotation: QueueRotation,
        prepared: [JobID: PreparedJob],
        lookahead: Int
    ) {
        self.lookahead = lookahead
        self.request = request
        self.lateArrival = lateArrival
        self.rotation = rotation
        self.prepared = prepared
    }

    /// Runs the claim; a job that the database refuses to have claimed is set aside with the reason, and the others are
    /// claimed without it.
    mutating func runAround(_ db: Database) throws -> Claim {
        var aside: [SetAside] = []
        while true {
            var attempt = self
            do {
                var result = Claim()
                try db.inSavepoint {
                    result = try attempt.run(db)
                    return .commit
                }
                self = attempt
                claim.setAside = aside
                result.setAside = aside
                return result
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                guard let job = attempt.current else { throw error }
                let reason = LedgerError(error).message
                try SetAsideRows.insert(job, reason, at: request.now, db)
                aside.append(SetAside(job: job, reason: reason))
                // Each costs the claim another run: the transaction stays short, and the next claim goes on.
                if aside.count >= Self.maximumSetAside {
                    var result = Claim()
                    result.setAside = aside
                    result.hasMore = true
                    return result
                }
            }
        }
    }

    private mutating func run(_ db: Database) throws -> Claim {
        let mayHaveUnserved = try giveTurns(db)
        limit = min(request.limit, try freePlaces(db))
        limit = min(limit, try freeSlots(db))
        claim.nextRunAt = try nextRunAt(db)
        guard limit > 0 else {
            claim.hasMore = try hasOpenJob(db) || mayHaveUnserved
            return claim
        }
        budgets = try BudgetHeadroom.all(db, at: request.now)
        reserve = try ReserveRoom(request, db)
        var priority = try highestPriority(below: nil, db)
        while let level = priority, hasRoom {
            try take(at: level, db)
            priority = hasRoom ? try highestPriority(below: level, db) : nil
        }
        claim.hasMore =
            mayHaveUnserved || claim.jobs.count >= limit || claim.refused.count >= Self.maximumRefusals
            // Which queues a budget holds shows when nothing more of them can be taken.
            || (claim.waitsForBudget && !claim.jobs.isEmpty)
        try noteTurns(db)
        noteHolds()
        return claim
    }

    private var hasRoom: Bool {
        claim.jobs.count < limit && missing.count < max(lookahead, limit)
            && claim.refused.count < Self.maximumRefusals && !isHeldForReserve
    }

    // MARK: - Order

    /// Takes jobs of one priority: from each queue in turn, beginning behind the one that was served last.
    private mutating func take(at priority: Int64, _ db: Database) throws {
        let last = rotation.lastServed(at: priority)
        var heads: [QueueHeads] = []
        var cursor = last
        var hasWrapped = last == nil
        // The first round opens queues as it comes to them.
        while hasRoom {
            guard let name = try nextQueue(after: cursor, at: priority, db) else {
                guard !hasWrapped else { break }
                hasWrapped = true
                cursor = nil
                continue
            }
            cursor = name
            // The round is over behind the queue that it began behind.
            if hasWrapped, let last, name > last { break }
            if try open(name, db) {
                var queue = QueueHeads(queue: name, heads: try self.heads(of: name, at: priority, db))
                try takeOne(of: &queue, db)
                if !queue.heads.isEmpty { heads.append(queue) }
            }
            if hasWrapped, let last, name == last { break }
        }
        // The later rounds go on with those that have more.
        while hasRoom, !heads.isEmpty {
            for index in heads.indices where hasRoom { try takeOne(of: &heads[index], db) }
            heads.removeAll { $0.heads.isEmpty }
        }
        if !hasRoom { othersLeft.formUnion(heads.lazy.map(\.queue)) }
    }

    /// Takes the next job of a queue, past those that are refused or do not fit.
    private mutating func takeOne(of queue: inout QueueHeads, _ db: Database) throws {
        while hasRoom {
            for index in queue.heads.indices where queue.heads[index].jobs.isEmpty && queue.heads[index].mayHaveMore {
                try fill(&queue.heads[index], db)
            }
            queue.heads.removeAll { $0.jobs.isEmpty }
            let best = queue.heads.indices.min { left, right in
                queue.heads[left].order < queue.heads[right].order
            }
            guard let best else { return }
            if try takeFirst(of: best, in: &queue, db) { return }
        }
    }

    // MARK: - Jobs

    /// Claims, refuses or looks past the first job of a head; true if it was taken.
    private mutating func takeFirst(of index: Int, in queue: inout QueueHeads, _ db: Database) throws -> Bool {
        let candidate = queue.heads[index].jobs.removeFirst()
        guard let job = candidate.job else {
            try refuse(candidate.id, Refusal.notUTF8, db)
            return false
        }
        guard let known = prepared[candidate.id], known.job.isSame(as: job) else {
            missing.append(job)
            queue.heads[index].passed += 1
            if queue.heads[index].isProbe { queue.heads.remove(at: index) }
            // It takes no place: it may not fit a budget, and then another one is next.
            return true
        }
        switch known.preparation {
        case .refused(let refusal):
            try refuse(candidate.id, refusal, db)
            return false
        case .ready(let prepared):
            let estimate = try prices.estimate(of: prepared, model: job.model, db)
            let reserved = estimate.credits
            let name = queue.queue
            let concerned = budgets.indices.filter { budgets[$0].queue == nil || budgets[$0].queue == name }
            if let full = concerned.first(where: { budgets[$0].left < reserved.millicredits }) {
                // It waits, and is the first again at the next claim. Cheaper ones go on meanwhile.
                claim.waitsForBudget = true
                let hold = BudgetHold(budget: budgets[full].name, queue: job.queue)
                if claim.budgetSkips[hold] == nil { claim.budgetSkips[hold] = budgets[full].skip(of: reserved) }
                queue.heads[index].passed += 1
                queue.heads[index].skipped += 1
                if queue.heads[index].skipped >= Self.maximumSkips { queue.heads.remove(at: index) }
                return false
            }
            if let hold = reserve?.take(reserved) {
                // It concerns the account, so everything waits with this job: the order is kept.
                claim.reserveHold = hold
                isHeldForReserve = true
                queue.heads.removeAll()
                return true
            }
            for index in concerned { budgets[index].left -= reserved.millicredits }
            try insert(candidate, job, prepared, estimate, db)
            rotation.serve(name, at: candidate.priority)
            if queue.heads[index].isProbe { queue.heads.remove(at: index) }
            takePlace(&queue)
            return true
        }
    }

    private mutating func takePlace(_ queue: inout QueueHeads) {
        guard let room = rooms[queue.queue] else { return }
        rooms[queue.queue] = room - 1
        if room <= 1 {
            claim.waitsForPlace = true
            queue.heads.removeAll()
        }
    }

    private mutating func refuse(_ job: JobID, _ refusal: Refusal, _ db: Database) throws {
        current = job
        let message = BoundedText.message(refusal.description)
        try db.cachedStatement(
            sql: """
                UPDATE jobs SET state = 'failed', finished_at = ?, error_code = ?, error_message = ?
                WHERE id = ? AND state = 'queued'
                """
        )
        .execute(arguments: [request.now.milliseconds, refusal.code.rawValue, message, job.rawValue])
        current = nil
        claim.refused.append(RefusedJob(job: job, code: refusal.code, message: message))
    }

    private mutating func insert(
        _ candidate: ClaimHead.Candidate,
        _ job: QueuedJob,
        _ prepared: PreparedInput,
        _ estimate: Estimate,
        _ db: Database
    ) throws {
        current = job.id
        let reserved = estimate.credits
        let token = AttemptToken.random(at: request.now, using: &generator)
        try Self.run(
            """
            INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits,
                estimated_millicredits, estimate_basis, profile, input)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9)
            """,
            [
                job.id.rawValue, token.rawValue, job.queue, job.model, request.now.milliseconds, reserved.millicredits,
                estimate.kind.rawValue, CompletionProfile.text(of: prepared.input),
                JSONValue.object(prepared.input).json,
            ],
            db
        )
        let attempt = AttemptID(db.lastInsertedRowID)
        try Self.run(
            """
            UPDATE jobs SET state = 'submitting', attempt_count = attempt_count + 1, estimated_millicredits = ?,
                estimate_basis = ?, submitted_at = ?, error_code = NULL, error_message = NULL
            WHERE id = ? AND state = 'queued'
            """,
            [reserved.millicredits, estimate.kind.rawValue, request.now.milliseconds, job.id.rawValue],
            db
        )
        // One attempt for one job that was queued: anything else would pay twice.
        guard db.changesCount == 1 else {
            throw DatabaseError(resultCode: .SQLITE_CONSTRAINT, message: "it is no longer queued")
        }
        current = nil
        let lane = ServedLane(queue: ExactText(job.queue), priority: candidate.priority)
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
    private mutating func noteHolds() {
        let others = Set(claim.jobs.map { ExactText($0.queue) }).union(missing.map { ExactText($0.queue) })
            .union(othersLeft)
        claim.budgetHolds = claim.budgetSkips.keys.filter { !others.contains(ExactText($0.queue)) }
            .sorted { ($0.queue, $0.budget) < ($1.queue, $1.budget) }
    }

    struct ServedLane: Hashable {
        var queue: ExactText
        var priority: Int64
    }
}
