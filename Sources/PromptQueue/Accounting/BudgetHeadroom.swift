/// What a budget has left in its present period.
package struct BudgetHeadroom: Sendable, Hashable {
    package var name: String
    /// nil: all queues.
    package var queue: ExactText?
    package var limit: Credits
    /// When its next period begins; nil if it has none.
    package var resetsAt: Instant?
    /// Negative after an overrun: a task cost more than it was estimated at.
    package var left: Credits

    package init(
        name: String,
        queue: ExactText? = nil,
        period: BudgetPeriod,
        limit: Credits,
        used: Credits,
        now: Instant
    ) {
        self.name = name
        self.queue = queue
        self.limit = limit
        resetsAt = period.interval(at: now).end
        left = limit - used
    }

    package func concerns(_ queue: ExactText) -> Bool { self.queue == nil || self.queue == queue }

    package func skip(of price: Credits) -> BudgetSkip { BudgetSkip(price: price, limit: limit, resetsAt: resetsAt) }
}
