/// What a claim has read so far of a ledger that answers over a network.
///
/// A plan asks one question after the other; with each answered over a network it would hold its lock for long. So the plan runs
/// over what is known. A question whose answer is not known ends it with `ClaimSnapshot.Unknown`; the store reads the answer, more
/// than was asked for where that costs nothing, and runs the plan again from its beginning: it is a value, and nothing has been
/// written. What it takes and refuses is collected, and written at once.
package struct ClaimSnapshot: ClaimSource {
    /// A question that has to be answered first.
    package enum Question: Error, Sendable, Hashable {
        case priorities(below: Int64?)
        /// The queues behind a name that have jobs of a priority waiting, with their places, models and first jobs.
        case queues(after: ExactText?, priority: Int64)
        case queue(ExactText)
        case jobs(ClaimLane, limit: Int, after: ClaimPosition?, withoutBudgets: Set<ExactText>)
        case narrowBudgets([JobID])
        /// What the latest tasks of a model were charged.
        case charges(String)
    }

    /// What every claim asks first.
    package struct Basis: Sendable {
        package var freePlaces: Int
        package var freeSlots: Int
        package var nextSlotAt: Instant?
        package var mayHaveUnserved: Bool
        package var nextRunAt: Instant?
        package var budgets: [BudgetHeadroom]
        package var reserve: Reserve?
        /// Without what was observed.
        package var prices: PriceBook
        /// The ledger's instant of the claim.
        package var now: Instant

        package init(
            freePlaces: Int,
            freeSlots: Int,
            nextSlotAt: Instant?,
            mayHaveUnserved: Bool,
            nextRunAt: Instant?,
            budgets: [BudgetHeadroom],
            reserve: Reserve?,
            prices: PriceBook,
            now: Instant
        ) {
            self.freePlaces = freePlaces
            self.freeSlots = freeSlots
            self.nextSlotAt = nextSlotAt
            self.mayHaveUnserved = mayHaveUnserved
            self.nextRunAt = nextRunAt
            self.budgets = budgets
            self.reserve = reserve
            self.prices = prices
            self.now = now
        }
    }

    /// A queue as a claim sees it.
    package struct Queue: Sendable {
        package var name: ExactText
        package var places: QueuePlaces
        package var models: [String]

        package init(name: ExactText, places: QueuePlaces, models: [String]) {
            self.name = name
            self.places = places
            self.models = models
        }
    }

    /// A job that is to be sent.
    package struct Taken: Sendable {
        package var job: ClaimedJob
        package var estimate: Estimate
        package var profile: String
    }

    private struct Cursor: Hashable {
        var priority: Int64
        var after: ExactText?
    }

    private struct Search: Hashable {
        var lane: ClaimLane
        var budgets: Set<ExactText>
    }

    /// The jobs of a lane from a position on, as far as they were read.
    private struct Lane {
        var jobs: [ClaimCandidate] = []
        var start: ClaimPosition?
        var isComplete = false
    }

    private let basis: Basis
    /// The highest first, without a gap; nil at the end: there are no more.
    private var priorities: [Int64] = []
    private var hasAllPriorities = false
    private var nextQueues: [Cursor: ExactText?] = [:]
    private var queues: [ExactText: Queue] = [:]
    private var lanes: [Search: Lane] = [:]
    private var narrow: [JobID: Set<ExactText>] = [:]
    private var dueAt: [JobID: Instant] = [:]
    private var book: PriceBook
    private var observedModels: Set<String> = []
    private var generator = SystemRandomNumberGenerator()

    package private(set) var taken: [Taken] = []
    package private(set) var refused: [(job: JobID, refusal: Refusal)] = []
    package private(set) var served: [(queue: String, priority: Int64, turn: Int64)] = []

    package init(_ basis: Basis) {
        self.basis = basis
        book = basis.prices
    }

    // MARK: - What is known

    /// - Parameters:
    ///   - found: in their order, the highest first, all of those between the first and the last.
    ///   - isAll: whether there are none below the last.
    package mutating func note(priorities found: [Int64], isAll: Bool) {
        priorities += found
        hasAllPriorities = isAll
    }

    /// - Parameters:
    ///   - found: in their order, all of those between the first and the last.
    ///   - isAll: whether there are none behind the last.
    package mutating func note(queues found: [Queue], after name: ExactText?, priority: Int64, isAll: Bool) {
        var cursor = Cursor(priority: priority, after: name)
        for queue in found {
            nextQueues[cursor] = queue.name
            cursor.after = queue.name
            note(queue)
        }
        if isAll { nextQueues[cursor] = .some(nil) }
    }

    package mutating func note(_ queue: Queue) { queues[queue.name] = queue }

    /// - Parameters:
    ///   - found: in their order, those that come next behind `position`.
    ///   - isAll: whether there are none behind the last.
    ///   - dueAt: since when each could have been claimed.
    package mutating func note(
        jobs found: [ClaimCandidate],
        of lane: ClaimLane,
        after position: ClaimPosition?,
        withoutBudgets budgets: Set<ExactText> = [],
        isAll: Bool,
        dueAt instants: [JobID: Instant]
    ) {
        let search = Search(lane: lane, budgets: budgets)
        var known = lanes[search] ?? Lane(start: position)
        // What does not go on where the known ones end begins anew.
        if known.jobs.last?.position ?? known.start != position { known = Lane(start: position) }
        known.jobs += found
        known.isComplete = isAll
        lanes[search] = known
        dueAt.merge(instants) { _, new in new }
    }

    package mutating func note(narrowBudgets found: [JobID: Set<ExactText>]) { narrow.merge(found) { _, new in new } }

    package mutating func note(observed: ObservedPrice?, model: String) {
        observedModels.insert(model)
        book.setObserved(observed, model: model)
    }

    // MARK: - ClaimSource

    package func freePlaces() -> Int { basis.freePlaces }
    package func freeSlots() -> (count: Int, nextAt: Instant?) { (basis.freeSlots, basis.nextSlotAt) }
    package func giveTurns() -> Bool { basis.mayHaveUnserved }
    package func nextRunAt() -> Instant? { basis.nextRunAt }
    package func budgets() -> [BudgetHeadroom] { basis.budgets }
    package func reserve() -> Reserve? { basis.reserve }

    package func highestPriority(below priority: Int64?) throws -> Int64? {
        let found = priorities.first { $0 < priority ?? .max }
        guard found != nil || hasAllPriorities else { throw Question.priorities(below: priorities.last) }
        return found
    }

    package func nextQueue(after name: ExactText?, at priority: Int64) throws -> ExactText? {
        guard let next = nextQueues[Cursor(priority: priority, after: name)] else {
            throw Question.queues(after: name, priority: priority)
        }
        return next
    }

    package func places(of queue: ExactText) throws -> QueuePlaces { try known(queue).places }
    package func models(of queue: ExactText) throws -> [String] { try known(queue).models }

    private func known(_ queue: ExactText) throws -> Queue {
        guard let known = queues[queue] else { throw Question.queue(queue) }
        return known
    }

    package func jobs(
        of lane: ClaimLane,
        limit: Int,
        after position: ClaimPosition?,
        withoutBudgets budgets: Set<ExactText>
    ) throws -> [ClaimCandidate] {
        let known = lanes[Search(lane: lane, budgets: budgets)]
        guard let known, Self.begins(known.start, by: position) else {
            throw Question.jobs(lane, limit: limit, after: position, withoutBudgets: budgets)
        }
        let next = known.jobs.drop { job in position.map { job.position <= $0 } ?? false }.prefix(limit)
        if next.count < limit, !known.isComplete {
            let last = known.jobs.last?.position ?? known.start
            throw Question.jobs(lane, limit: limit - next.count, after: last, withoutBudgets: budgets)
        }
        return Array(next)
    }

    /// Whether what begins behind `start` holds everything behind `position`.
    private static func begins(_ start: ClaimPosition?, by position: ClaimPosition?) -> Bool {
        guard let start else { return true }
        return position.map { start <= $0 } ?? false
    }

    package func narrowBudgets(of job: JobID) throws -> Set<ExactText> {
        if let known = narrow[job] { return known }
        // Those of all jobs that were read, because they will be asked for next.
        let others = lanes.values.lazy.flatMap(\.jobs).map(\.id).filter { narrow[$0] == nil }
        throw Question.narrowBudgets(Set(others).union([job]).sorted { $0.rawValue < $1.rawValue })
    }

    package func estimate(of prepared: PreparedInput, model: String) throws -> Estimate {
        guard prepared.estimate != nil || observedModels.contains(model) else { throw Question.charges(model) }
        return book.estimate(of: prepared, model: model)
    }

    package mutating func refuse(_ job: JobID, _ refusal: Refusal) -> RefusedJob {
        refused.append((job, refusal))
        return RefusedJob(job: job, code: refusal.code, message: refusal.description)
    }

    /// - Returns: the job with its place in `taken` instead of its attempt's id, which is given when it is written.
    package mutating func take(
        _ candidate: ClaimCandidate,
        _ job: QueuedJob,
        _ prepared: PreparedInput,
        _ estimate: Estimate
    ) -> ClaimedJob {
        let due = candidate.attemptCount == 0 ? dueAt[job.id] : nil
        let claimed = ClaimedJob(
            attempt: AttemptID(Int64(taken.count)),
            token: AttemptToken.random(at: basis.now, using: &generator),
            job: job.id,
            queue: job.queue,
            batch: job.batch,
            model: job.model,
            input: prepared.input,
            reserved: estimate.credits,
            attemptCount: candidate.attemptCount + 1,
            maxAttempts: candidate.maxAttempts,
            waited: due.map { max(.zero, basis.now - $0) }
        )
        taken.append(Taken(job: claimed, estimate: estimate, profile: CompletionProfile.text(of: prepared.input)))
        return claimed
    }

    package mutating func noteTurn(_ turn: Int64, of queue: ExactText, at priority: Int64) {
        served.append((queue.text, priority, turn))
    }
}

extension ClaimPlan {
    /// Runs over what is known, and again with each answer to what is not.
    ///
    /// - Parameter answer: notes the answer to a question in the snapshot.
    /// - Returns: what is to be claimed, and the snapshot with what is to be written.
    package mutating func run(
        over basis: ClaimSnapshot.Basis,
        answer: (ClaimSnapshot.Question, inout ClaimSnapshot) async throws -> Void
    ) async throws -> (claim: Claim, writes: ClaimSnapshot) {
        var known = ClaimSnapshot(basis)
        while true {
            var (attempt, snapshot) = (self, known)
            do {
                let claim = try attempt.run(&snapshot)
                self = attempt
                return (claim, snapshot)
            } catch let question as ClaimSnapshot.Question {
                try await answer(question, &known)
            }
        }
    }
}
