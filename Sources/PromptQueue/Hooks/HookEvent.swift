/// What a hook can be told of.
package enum HookEvent: String, Sendable, Hashable, CaseIterable {
    case succeeded
    case failed
    case unconfirmed
    /// The last job of a batch has ended.
    case batchDone = "batch.done"
    /// Nothing is submitted, or nothing of one model.
    case gateClosed = "gate.closed"
    /// Four fifths of a budget are used, in its present period.
    case budgetWarning = "budget.warning"
    /// A queue's next job would exceed a budget.
    case budgetReached = "budget.reached"
    /// Somebody tries the hook out.
    case test

    /// What may be asked for; a test comes without being asked for.
    package static let choices = allCases.filter { $0 != .test }

    /// Of a job that has come to a state; nil if nobody is told of that.
    package init?(_ state: JobState) {
        switch state {
        case .succeeded: self = .succeeded
        case .failed: self = .failed
        case .unconfirmed: self = .unconfirmed
        case .queued, .submitting, .running, .cancelled: return nil
        }
    }
}

/// Which events a hook is told of.
package struct HookRule: Sendable, Hashable {
    package var name: String
    package var events: Set<HookEvent>
    /// Only of jobs, or batches, of these; nil: of all. Gates and budgets are of none.
    package var queue: String?
    package var batch: String?

    package init(name: String, events: Set<HookEvent>, queue: String? = nil, batch: String? = nil) {
        self.name = name
        self.events = events
        self.queue = queue
        self.batch = batch
    }

    package func covers(_ event: HookEvent, queue: String, batch: String?) -> Bool {
        events.contains(event) && (self.queue == nil || self.queue == queue)
            && (self.batch == nil || self.batch == batch)
    }
}
