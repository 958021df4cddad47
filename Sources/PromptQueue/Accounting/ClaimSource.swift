/// What a claim reads of the ledger and writes to it, within one transaction. The rules are `ClaimPlan`'s.
package protocol ClaimSource {
    /// How many more tasks may be at the provider, by the ledger's count.
    mutating func freePlaces() throws -> Int
    /// How many slots of the rate window are free, by the ledger's count; and when the next becomes free if none is.
    mutating func freeSlots() throws -> (count: Int, nextAt: Instant?)
    /// Gives a turn to each job that has become due; true when there may be more of them.
    mutating func giveTurns() throws -> Bool
    /// When the next scheduled job becomes due, if there is one.
    mutating func nextRunAt() throws -> Instant?
    mutating func budgets() throws -> [BudgetHeadroom]
    /// Of the budgets that ask for more than a queue, those that a job counts towards.
    mutating func narrowBudgets(of job: JobID) throws -> Set<ExactText>
    /// Nil if there is no reserve to keep.
    mutating func reserve() throws -> Reserve?

    /// The highest priority of waiting jobs, below another.
    mutating func highestPriority(below priority: Int64?) throws -> Int64?
    /// The next queue by name that has jobs of a priority waiting.
    mutating func nextQueue(after name: ExactText?, at priority: Int64) throws -> ExactText?
    mutating func places(of queue: ExactText) throws -> QueuePlaces
    /// The models of a queue's jobs that have a turn.
    mutating func models(of queue: ExactText) throws -> [String]
    /// The next jobs of a queue, model and priority, by turn and then age, behind another.
    ///
    /// - Parameter budgets: jobs that count towards one of these narrow budgets are left out, as far as `ClaimPlan.depth` goes.
    mutating func jobs(
        of lane: ClaimLane,
        limit: Int,
        after: ClaimPosition?,
        withoutBudgets budgets: Set<ExactText>
    ) throws -> [ClaimCandidate]
    mutating func estimate(of prepared: PreparedInput, model: String) throws -> Estimate

    /// Ends a job that may not be sent.
    mutating func refuse(_ job: JobID, _ refusal: Refusal) throws -> RefusedJob
    /// Commits a job to be sent: its attempt, with the reservation.
    mutating func take(
        _ candidate: ClaimCandidate,
        _ job: QueuedJob,
        _ input: PreparedInput,
        _ estimate: Estimate
    ) throws
        -> ClaimedJob
    /// Notes how far the turns have come, which is where a batch that comes later begins.
    mutating func noteTurn(_ turn: Int64, of queue: ExactText, at priority: Int64) throws
}

/// Whether jobs of a queue may be taken.
package enum QueuePlaces: Sendable, Hashable {
    case paused
    case unlimited
    /// How many more of its jobs may run; none or less: it is full.
    case limited(Int)
}

/// Jobs of one queue, model and priority.
package struct ClaimLane: Sendable, Hashable {
    package var queue: ExactText
    package var model: String
    package var priority: Int64

    package init(queue: ExactText, model: String, priority: Int64) {
        self.queue = queue
        self.model = model
        self.priority = priority
    }
}

/// Where a job stands among those of its lane: by turn, then age.
package struct ClaimPosition: Sendable, Hashable, Comparable {
    package var turn: Int64
    package var id: JobID

    package static func < (left: ClaimPosition, right: ClaimPosition) -> Bool {
        (left.turn, left.id.rawValue) < (right.turn, right.id.rawValue)
    }
}

/// A job that may be claimed next.
package struct ClaimCandidate: Sendable {
    package var id: JobID
    /// Nil if a text of it is not UTF-8.
    package var job: QueuedJob?
    package var priority: Int64
    package var turn: Int64
    package var attemptCount: Int
    package var maxAttempts: Int

    package var position: ClaimPosition { ClaimPosition(turn: turn, id: id) }

    package init(id: JobID, job: QueuedJob?, priority: Int64, turn: Int64, attemptCount: Int, maxAttempts: Int) {
        self.id = id
        self.job = job
        self.priority = priority
        self.turn = turn
        self.attemptCount = attemptCount
        self.maxAttempts = maxAttempts
    }
}

/// A job as it was when it was prepared.
package struct PreparedJob: Sendable {
    package var job: QueuedJob
    package var preparation: Preparation

    package init(job: QueuedJob, preparation: Preparation) {
        self.job = job
        self.preparation = preparation
    }
}
