import PromptQueue

/// The simulation's own account of the money, kept from what happened and compared with the ledger's.
struct Books {
    enum State {
        /// Committed; the request may be on its way.
        case sending
        case unknown
        case accepted
        case rejected
        /// Its task ended and is booked.
        case ended
        /// An operator said that there is no task.
        case denied
        /// The account's balance showed that it was not charged.
        case cleared
        /// An operator gave it up as if it had been charged.
        case givenUp
    }

    struct Entry {
        let attempt: AttemptID
        let job: JobID
        let queue: String
        let model: String
        /// The process that claimed it.
        var owner = 0
        /// Its label of that name, when it was sent.
        let client: String?
        let sentAt: Instant
        let estimate: Int64
        /// What it takes out of budgets: reserved, later charged.
        var amount: Int64
        var state: State = .sending
        /// The rate limit under which it was claimed.
        let rate: RateLimit
        /// When it was last asked about, in true time.
        var lastPoll: Duration = .zero
    }

    private(set) var entries: [AttemptID: Entry] = [:]
    private(set) var total: Int64 = 0
    private var byJob: [JobID: [AttemptID]] = [:]
    /// In the order of their claims.
    private(set) var order: [AttemptID] = []

    subscript(attempt: AttemptID) -> Entry? { entries[attempt] }

    func attempts(of job: JobID) -> [Entry] { (byJob[job] ?? []).compactMap { entries[$0] } }

    var sorted: [Entry] { order.compactMap { entries[$0] } }

    mutating func open(_ entry: Entry) {
        entries[entry.attempt] = entry
        byJob[entry.job, default: []].append(entry.attempt)
        order.append(entry.attempt)
        total += entry.amount
    }

    /// Moves an attempt on; without an amount it keeps what it holds.
    mutating func move(_ attempt: AttemptID, to state: State, amount: Int64? = nil) {
        guard let old = entries[attempt] else { return }
        entries[attempt]?.state = state
        if let amount {
            total += amount - old.amount
            entries[attempt]?.amount = amount
        }
    }

    mutating func polled(_ attempt: AttemptID, at time: Duration) { entries[attempt]?.lastPoll = time }

    /// What was sent from `start` on takes out of a budget.
    func committed(to budget: SimulatedBudget, since start: Instant) -> Int64 {
        entries.values.reduce(0) { sum, entry in
            entry.sentAt >= start && budget.concerns(entry) ? sum + entry.amount : sum
        }
    }
}
