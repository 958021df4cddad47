/// What a budget has left in its present period.
package struct BudgetHeadroom: Sendable, Hashable {
    package var name: String
    /// nil: all queues.
    package var queue: ExactText?
    /// Whether it asks for more than a queue: which jobs those are, the ledger says.
    package var isNarrow: Bool
    package var limit: Credits
    /// When its next period begins; nil if it has none.
    package var resetsAt: Instant?
    /// Negative after an overrun: a task cost more than it was estimated at.
    package var left: Credits

    package init(
        name: String,
        queue: ExactText? = nil,
        isNarrow: Bool = false,
        period: BudgetPeriod,
        limit: Credits,
        used: Credits,
        now: Instant
    ) {
        self.name = name
        self.queue = queue
        self.isNarrow = isNarrow
        self.limit = limit
        resetsAt = period.interval(at: now).end
        left = limit - used
    }

    /// - Parameter narrow: the names of those budgets, of which more is asked than a queue, that a job of the queue counts towards.
    package func concerns(_ queue: ExactText, narrow: Set<ExactText>) -> Bool {
        isNarrow ? narrow.contains(ExactText(name)) : self.queue == nil || self.queue == queue
    }

    /// Whether nearly all of it is used: people are told while there is time.
    package var isNearlyUsed: Bool { left.millicredits <= limit.millicredits / 5 }

    package func skip(of price: Credits) -> BudgetSkip { BudgetSkip(price: price, limit: limit, resetsAt: resetsAt) }
}
