/// What a claim takes, and in which order.
///
/// The order is by priority (higher first). Among equals the queues take turns, and within a queue the jobs' turn decides,
/// which makes its batches take turns. Only the queues that come next are looked at, and each gives its best job of each
/// model: the cost does not grow with the backlog, nor with the number of queues, nor with what is scheduled for later or is
/// for models that are switched off.
package struct ClaimPlan: Sendable {
    private let request: ClaimRequest
    private let prepared: [JobID: PreparedJob]
    /// How many jobs are found that still have to be prepared.
    private let lookahead: Int
    package private(set) var rotation: QueueRotation

    private var claim = Claim()
    /// Jobs that have to be prepared before they can be claimed.
    package private(set) var missing: [QueuedJob] = []
    private var limit = 0
    private var budgets: [BudgetHeadroom] = []
    private var hasNarrowBudgets = false
    /// Of `budgets`, those that something was taken from and of which little is left.
    private var nearlyUsed: Set<Int> = []
    /// How many more jobs of a queue may run; absent without a limit of its own.
    private var places: [ExactText: Int] = [:]
    private var reserve: Reserve?
    private var isHeldForReserve = false
    /// Queues of which something was left that could be claimed but for lack of room.
    private var othersLeft: Set<ExactText> = []
    /// The highest turn that was taken.
    private var served: [ServedLane: Int64] = [:]

    /// Jobs that are refused cost no slot, but time: the transaction stays short.
    package static let maximumRefusals = 200
    /// How many jobs one claim sets aside.
    package static let maximumSetAside = 20
    /// How many jobs of one queue and model are skipped because they do not fit a budget. Those of a narrow budget are passed
    /// over all at once then, so that one client's jobs do not stand in the way of all others.
    private static let maximumSkips = 100
    /// How many jobs of one queue and model are looked at for others than those.
    package static let depth = 5_000

    package init(
        _ request: ClaimRequest,
        rotation: QueueRotation,
        prepared: [JobID: PreparedJob],
        lookahead: Int
    ) {
        self.request = request
        self.rotation = rotation
        self.prepared = prepared
        self.lookahead = lookahead
    }

    package mutating func run(_ source: inout some ClaimSource) throws -> Claim {
        let mayHaveUnserved = try source.giveTurns()
        let slots = try source.freeSlots()
        claim.nextSlotAt = slots.nextAt
        limit = min(request.limit, try source.freePlaces(), slots.count)
        claim.nextRunAt = try source.nextRunAt()
        guard limit > 0 else {
            claim.hasMore = try hasOpenJob(&source) || mayHaveUnserved
            return claim
        }
        budgets = try source.budgets()
        hasNarrowBudgets = budgets.contains(where: \.isNarrow)
        reserve = try source.reserve()
        var priority = try source.highestPriority(below: nil)
        while let level = priority, hasRoom {
            try take(at: level, &source)
            priority = hasRoom ? try source.highestPriority(below: level) : nil
        }
        claim.hasMore =
            mayHaveUnserved || claim.jobs.count >= limit || claim.refused.count >= Self.maximumRefusals
            // Which queues a budget holds shows when nothing more of them can be taken.
            || (claim.waitsForBudget && !claim.jobs.isEmpty)
        for (lane, turn) in served { try source.noteTurn(turn, of: lane.queue, at: lane.priority) }
        claim.nearlyUsedBudgets = nearlyUsed.sorted().map { budgets[$0] }
        noteHolds()
        return claim
    }

    private var hasRoom: Bool {
        claim.jobs.count < limit && missing.count < max(lookahead, limit)
            && claim.refused.count < Self.maximumRefusals && !isHeldForReserve
    }

    // MARK: - Order

    /// Takes jobs of one priority: from each queue in turn, beginning behind the one that was served last.
    private mutating func take(at priority: Int64, _ source: inout some ClaimSource) throws {
        let last = rotation.lastServed(at: priority)
        var queues: [QueueHeads] = []
        var cursor = last
        var hasWrapped = last == nil
        // The first round opens queues as it comes to them.
        while hasRoom {
            guard let name = try source.nextQueue(after: cursor, at: priority) else {
                guard !hasWrapped else { break }
                hasWrapped = true
                cursor = nil
                continue
            }
            cursor = name
            // The round is over behind the queue that it began behind.
            if hasWrapped, let last, name > last { break }
            if try open(name, &source) {
                var queue = QueueHeads(queue: name, heads: try heads(of: name, at: priority, &source))
                try takeOne(of: &queue, &source)
                if !queue.heads.isEmpty { queues.append(queue) }
            }
            if hasWrapped, let last, name == last { break }
        }
        // The later rounds go on with those that have more.
        while hasRoom, !queues.isEmpty {
            for index in queues.indices where hasRoom { try takeOne(of: &queues[index], &source) }
            queues.removeAll { $0.heads.isEmpty }
        }
        if !hasRoom { othersLeft.formUnion(queues.lazy.map(\.queue)) }
    }

    /// Whether jobs of a queue may be taken now.
    private mutating func open(_ queue: ExactText, _ source: inout some ClaimSource) throws -> Bool {
        if let places = places[queue] { return places > 0 }
        switch try source.places(of: queue) {
        case .paused: return false
        case .unlimited: return true
        case .limited(let count):
            places[queue] = count
            if count <= 0 { claim.waitsForPlace = true }
            return count > 0
        }
    }

    /// A head for each model of a queue that is on.
    private func heads(of queue: ExactText, at priority: Int64, _ source: inout some ClaimSource) throws -> [ClaimHead]
    {
        var heads: [ClaimHead] = []
        for model in try source.models(of: queue) where !request.closedModels.contains(model) {
            let isProbe = request.probedModels.contains(model)
            if isProbe,
                claim.jobs.contains(where: { $0.model == model }) || missing.contains(where: { $0.model == model })
            {
                continue
            }
            heads.append(
                ClaimHead(lane: ClaimLane(queue: queue, model: model, priority: priority), isProbe: isProbe)
            )
        }
        return heads
    }

    /// Whether anything could be claimed if there were room.
    private mutating func hasOpenJob(_ source: inout some ClaimSource) throws -> Bool {
        var priority = try source.highestPriority(below: nil)
        while let level = priority {
            var name = try source.nextQueue(after: nil, at: level)
            while let queue = name {
                if try open(queue, &source), try !heads(of: queue, at: level, &source).isEmpty { return true }
                name = try source.nextQueue(after: queue, at: level)
            }
            priority = try source.highestPriority(below: level)
        }
        return false
    }

    /// Takes the next job of a queue, past those that are refused or do not fit.
    private mutating func takeOne(of queue: inout QueueHeads, _ source: inout some ClaimSource) throws {
        while hasRoom {
            for index in queue.heads.indices where queue.heads[index].needsJobs {
                let head = queue.heads[index]
                let jobs = try source.jobs(
                    of: head.lane,
                    limit: head.fetchCount,
                    after: head.position,
                    withoutBudgets: head.heldBudgets
                )
                queue.heads[index].fill(jobs)
            }
            queue.heads.removeAll { $0.jobs.isEmpty }
            let best = queue.heads.indices.min { left, right in
                queue.heads[left].order < queue.heads[right].order
            }
            guard let best else { return }
            if try takeFirst(of: best, in: &queue, &source) { return }
        }
    }

    // MARK: - Jobs

    /// Claims, refuses or skips the first job of a head; true if it was taken.
    private mutating func takeFirst(
        of index: Int,
        in queue: inout QueueHeads,
        _ source: inout some ClaimSource
    ) throws -> Bool {
        let candidate = queue.heads[index].jobs.removeFirst()
        guard let job = candidate.job else {
            try refuse(candidate.id, .notUTF8, JobOrigin(queue: queue.queue.text), &source)
            return false
        }
        guard let known = prepared[candidate.id], known.job.isSame(as: job) else {
            missing.append(job)
            if queue.heads[index].isProbe { queue.heads.remove(at: index) }
            // It takes no place: it may not fit a budget, and then another one is next.
            return true
        }
        switch known.preparation {
        case .refused(let refusal):
            try refuse(candidate.id, refusal, job.origin, &source)
            return false
        case .ready(let prepared):
            let estimate = try source.estimate(of: prepared, model: job.model)
            let narrow = hasNarrowBudgets ? try source.narrowBudgets(of: candidate.id) : []
            switch fit(estimate.credits, queue.queue, narrow) {
            case .budget(let budget):
                // It waits, and is the first again at the next claim. Cheaper ones go on meanwhile.
                claim.waitsForBudget = true
                let hold = BudgetHold(budget: budget.name, queue: job.queue)
                if claim.budgetSkips[hold] == nil { claim.budgetSkips[hold] = budget.skip(of: estimate.credits) }
                queue.heads[index].skipped += 1
                if queue.heads[index].skipped >= Self.maximumSkips {
                    if budget.isNarrow {
                        queue.heads[index].passOver(ExactText(budget.name), after: candidate.position)
                    } else {
                        queue.heads.remove(at: index)
                    }
                }
                return false
            case .reserve(let hold):
                // It concerns the account, so everything waits with this job: the order is kept.
                claim.reserveHold = hold
                isHeldForReserve = true
                queue.heads.removeAll()
                return true
            case nil:
                break
            }
            let claimed = try source.take(candidate, job, prepared, estimate)
            claim.jobs.append(claimed)
            let lane = ServedLane(queue: queue.queue, priority: candidate.priority)
            served[lane] = max(served[lane] ?? candidate.turn, candidate.turn)
            rotation.serve(queue.queue, at: candidate.priority)
            if queue.heads[index].isProbe { queue.heads.remove(at: index) }
            takePlace(&queue)
            return true
        }
    }

    private mutating func refuse(
        _ job: JobID,
        _ refusal: Refusal,
        _ origin: JobOrigin,
        _ source: inout some ClaimSource
    ) throws {
        var refused = try source.refuse(job, refusal)
        refused.origin = origin
        claim.refused.append(refused)
    }

    /// Why a price is not spent now.
    private enum Obstacle {
        case budget(BudgetHeadroom)
        case reserve(ReserveHold)
    }

    /// Takes a price from the budgets and from what may be spent of the balance; from neither if it does not fit both.
    private mutating func fit(_ price: Credits, _ queue: ExactText, _ narrow: Set<ExactText>) -> Obstacle? {
        let concerned = budgets.indices.filter { budgets[$0].concerns(queue, narrow: narrow) }
        if let full = concerned.first(where: { budgets[$0].left < price }) { return .budget(budgets[full]) }
        if let hold = reserve?.take(price) { return .reserve(hold) }
        for index in concerned {
            budgets[index].left -= price
            if budgets[index].isNearlyUsed { nearlyUsed.insert(index) }
        }
        return nil
    }

    private mutating func takePlace(_ queue: inout QueueHeads) {
        guard let left = places[queue.queue] else { return }
        places[queue.queue] = left - 1
        if left <= 1 {
            claim.waitsForPlace = true
            queue.heads.removeAll()
        }
    }

    /// Says which queues a budget holds: those of which nothing was taken and nothing else is left to be taken.
    private mutating func noteHolds() {
        let others = Set(claim.jobs.map { ExactText($0.queue) }).union(missing.map { ExactText($0.queue) })
            .union(othersLeft)
        claim.budgetHolds = claim.budgetSkips.keys.filter { !others.contains(ExactText($0.queue)) }
            .sorted { ($0.queue, $0.budget) < ($1.queue, $1.budget) }
    }

    private struct ServedLane: Hashable {
        var queue: ExactText
        var priority: Int64
    }
}

/// The jobs of one lane that are next, fetched and not yet taken.
private struct ClaimHead {
    var lane: ClaimLane
    /// Whether at most one job is wanted, to find out whether the model is on again.
    var isProbe = false
    var jobs: ArraySlice<ClaimCandidate> = []
    /// Whether the ledger may hold more jobs behind these.
    var mayHaveMore = true
    /// The last job that was fetched.
    var position: ClaimPosition?
    /// Jobs that were skipped because of a budget.
    var skipped = 0
    /// Narrow budgets whose jobs are passed over.
    var heldBudgets: Set<ExactText> = []
    /// How many to fetch next: the first of each queue is often all that is wanted.
    var fetchCount = 1

    /// By turn, then age.
    var order: (Int64, Int64) { (jobs.first?.turn ?? .max, jobs.first?.id.rawValue ?? .max) }

    var needsJobs: Bool { jobs.isEmpty && mayHaveMore }

    mutating func fill(_ found: [ClaimCandidate]) {
        mayHaveMore = found.count == fetchCount
        fetchCount = min(fetchCount * 8, 256)
        jobs = ArraySlice(found)
        if let last = found.last { position = last.position }
    }

    /// Goes on behind a job, without those that count towards a budget.
    mutating func passOver(_ budget: ExactText, after last: ClaimPosition) {
        heldBudgets.insert(budget)
        skipped = 0
        jobs = []
        position = last
        mayHaveMore = true
    }
}

/// A queue whose turn it is, with what it has of one priority.
private struct QueueHeads {
    var queue: ExactText
    var heads: [ClaimHead]
}

extension QueuedJob {
    /// Whether nothing of it has changed, byte by byte.
    fileprivate func isSame(as other: QueuedJob) -> Bool {
        id == other.id && ExactText(model) == ExactText(other.model) && ExactText(input) == ExactText(other.input)
            && prompt.map { ExactText($0) } == other.prompt.map { ExactText($0) } && sources == other.sources
    }
}

extension Refusal {
    fileprivate static let notUTF8 = Refusal(
        code: .invalidInput,
        problems: [InputProblem(field: "prompt", kind: .wrongType, message: "it or the input is not valid UTF-8")]
    )
}
