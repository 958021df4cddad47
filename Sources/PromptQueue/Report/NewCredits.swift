/// What new jobs cost, by their queues, and by those budgets that ask for more than a queue.
package struct NewCredits: Sendable {
    private let narrow: [BudgetRecord]
    package private(set) var total = Credits.zero
    package private(set) var byQueue: [String: Credits] = [:]
    package private(set) var byBudget: [String: Credits] = [:]

    package init(_ budgets: [BudgetRecord]) { narrow = budgets.filter(\.scope.isNarrow) }

    package mutating func add(_ job: NewJob) {
        guard let credits = job.estimate?.credits else { return }
        total += credits
        byQueue[job.queue, default: .zero] += credits
        for budget in narrow where budget.scope.concerns(job) { byBudget[budget.name, default: .zero] += credits }
    }
}

extension BudgetScope {
    /// By the rule of the view `budget_jobs`.
    fileprivate func concerns(_ job: NewJob) -> Bool {
        guard queue ?? job.queue == job.queue, model ?? job.model == job.model, batch == nil || batch == job.batch
        else { return false }
        guard let label else { return true }
        guard let value = job.labels.flatMap({ JSONValue.object(in: $0) })?[label.name] else { return false }
        return switch value {
        case .string(let text): text == label.value
        case .bool(let flag): [flag ? "1" : "0", "\(flag)"].contains(label.value)
        case .null: false
        default: value.json == label.value
        }
    }
}
