/// What the engine asks of the ledger when it wants to submit.
package struct ClaimRequest: Sendable {
    /// At most this many jobs.
    package var limit: Int
    /// The rate limit; the ledger counts the slots that its own attempts keep busy and claims no more than are free.
    package var rate: RateLimit
    /// At most this many tasks at the provider, those of the claim included.
    package var runningLimit: Int
    /// Jobs for these models wait.
    package var closedModels: Set<String>
    /// At most one job of each of these models, to find out whether it is on again.
    package var probedModels: Set<String>
    /// Nothing is claimed that would let the account's balance fall below this; zero: no such rule.
    package var creditReserve: Credits
    package var now: Instant
    /// By how much the wall clock was set of late: what the ledger's instants may be off by.
    package var clockShift = ClockShift()

    package init(
        limit: Int,
        rate: RateLimit,
        runningLimit: Int,
        closedModels: Set<String> = [],
        probedModels: Set<String> = [],
        creditReserve: Credits = .zero,
        now: Instant
    ) {
        self.limit = limit
        self.rate = rate
        self.runningLimit = runningLimit
        self.closedModels = closedModels
        self.probedModels = probedModels
        self.creditReserve = creditReserve
        self.now = now
    }
}

/// A job as the ledger hands it over to be checked, before it is claimed.
package struct QueuedJob: Sendable {
    package var id: JobID
    package var queue: String
    package var batch: String?
    package var model: String
    package var prompt: String?
    /// The row's `input`, a JSON object.
    package var input: String
    /// Whether misspelt fields are sent as they are.
    package var allowsUnknownFields: Bool
    /// What it takes from other jobs; nil where that is not known yet.
    package var sources: [ResultSource]?

    package var origin: JobOrigin { JobOrigin(queue: queue, batch: batch) }

    package init(
        id: JobID,
        queue: String,
        batch: String? = nil,
        model: String,
        prompt: String?,
        input: String,
        allowsUnknownFields: Bool = false,
        sources: [ResultSource]? = nil
    ) {
        self.sources = sources
        self.id = id
        self.queue = queue
        self.batch = batch
        self.model = model
        self.prompt = prompt
        self.input = input
        self.allowsUnknownFields = allowsUnknownFields
    }
}

/// A job that is committed to be sent.
package struct ClaimedJob: Sendable {
    package var attempt: AttemptID
    package var token: AttemptToken
    package var job: JobID
    package var queue: String
    package var batch: String?
    package var model: String
    /// Complete: defaults filled in.
    package var input: JSONObject
    package var reserved: Credits
    /// How many attempts have counted, this one included.
    package var attemptCount: Int
    package var maxAttempts: Int
    /// How long it was due before it was claimed, of a first attempt.
    package var waited: Duration?

    package var origin: JobOrigin { JobOrigin(queue: queue, batch: batch) }

    package init(
        attempt: AttemptID,
        token: AttemptToken,
        job: JobID,
        queue: String,
        batch: String? = nil,
        model: String,
        input: JSONObject,
        reserved: Credits,
        attemptCount: Int,
        maxAttempts: Int,
        waited: Duration? = nil
    ) {
        self.waited = waited
        self.attempt = attempt
        self.token = token
        self.job = job
        self.queue = queue
        self.batch = batch
        self.model = model
        self.input = input
        self.reserved = reserved
        self.attemptCount = attemptCount
        self.maxAttempts = maxAttempts
    }
}

/// A job that failed at the claim, before anything was sent.
package struct RefusedJob: Sendable {
    package var job: JobID
    package var origin: JobOrigin?
    package var code: FailureCode
    package var message: String

    package init(job: JobID, code: FailureCode, message: String) {
        self.job = job
        self.code = code
        self.message = message
    }
}

/// A job that the ledger could not handle.
package struct SetAside: Sendable, Hashable {
    package var job: JobID
    package var origin: JobOrigin?
    package var reason: String

    package init(job: JobID, origin: JobOrigin? = nil, reason: String) {
        self.job = job
        self.origin = origin
        self.reason = reason
    }
}

/// What a claim brought.
package struct Claim: Sendable {
    package var jobs: [ClaimedJob] = []
    package var refused: [RefusedJob] = []
    /// Whether jobs that are due were left, for lack of a slot, a place, or time.
    package var hasMore = false
    /// Whether a queue has jobs that are due and no place for them (`max_running`).
    package var waitsForPlace = false
    /// Whether a job that is due was left because it would pass a budget's limit.
    package var waitsForBudget = false
    /// When the next scheduled job becomes due, if there is one.
    package var nextRunAt: Instant?
    /// When the next slot of the rate window that the ledger counts becomes free, if that is what stopped the claim.
    package var nextSlotAt: Instant?
    /// Queues of which nothing could be taken because of a budget.
    package var budgetHolds: [BudgetHold] = []
    /// The first job of each queue that was skipped because of a budget, those of `budgetHolds` included.
    package var budgetSkips: [BudgetHold: BudgetSkip] = [:]
    /// Budgets that something was taken from, and of which little is left.
    package var nearlyUsedBudgets: [BudgetHeadroom] = []
    /// Why jobs were left for the sake of `creditReserve`.
    package var reserveHold: ReserveHold?
    /// Jobs that the ledger could not claim, and leaves alone until the next start.
    package var setAside: [SetAside] = []

    package init() {}
}

/// A job that was skipped because it would pass a budget's limit.
package struct BudgetSkip: Sendable, Hashable, CustomStringConvertible {
    package var price: Credits
    package var limit: Credits
    /// When the budget's next period begins; nil if it has no periods.
    package var resetsAt: Instant?

    package init(price: Credits, limit: Credits, resetsAt: Instant?) {
        self.price = price
        self.limit = limit
        self.resetsAt = resetsAt
    }

    /// Whether no period has room for it.
    package var exceedsLimit: Bool { price > limit }

    /// Why it waits, and for what.
    package var description: String {
        if exceedsLimit {
            return
                "the next job costs \(price) and the budget's whole limit is \(limit), so it will never fit: "
                + "\(Advice.raiseLimitOrCancel)"
        }
        return "the next job costs \(price) and would pass the budget's limit of \(limit); it waits for "
            + "\(resetsAt == nil ? Advice.higherLimit : .nextPeriodOrHigherLimit)"
    }
}

/// A queue that a budget holds: none of its next jobs fits. Names are told apart by their bytes.
package struct BudgetHold: Sendable, Hashable {
    package var budget: String
    package var queue: String

    package static func == (left: BudgetHold, right: BudgetHold) -> Bool {
        ExactText(left.budget) == ExactText(right.budget) && ExactText(left.queue) == ExactText(right.queue)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(ExactText(budget))
        hasher.combine(ExactText(queue))
    }

    package var reason: BlockReason { .budget(budget) }

    package init(budget: String, queue: String) {
        self.budget = budget
        self.queue = queue
    }
}
