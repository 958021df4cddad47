import PromptQueue

/// A budget as its owner means it, with a calendar of its own.
struct SimulatedBudget {
    var name: String
    var queue: String?
    var model: String?
    /// The value of the label `client`.
    var client: String?
    var period: BudgetPeriod
    var limit: Int64
    /// Jobs that were gone when it was set: nobody knows their labels any more, and what was sent for them does not count.
    var forgotten: Set<JobID> = []

    var scope: BudgetScope {
        BudgetScope(
            queue: queue,
            model: model,
            label: client.map { BudgetScope.Label(name: "client", value: $0) }
        )
    }

    func concerns(_ entry: Books.Entry) -> Bool {
        (queue == nil || entry.queue == queue) && (model == nil || entry.model == model)
            && (client == nil || entry.client == client && !forgotten.contains(entry.job))
    }

    /// When the period around `now` began, in UTC.
    func start(at now: Instant) -> Instant {
        let seconds = now.milliseconds / 1_000
        let days = seconds / 86_400
        let start: Int64 =
            switch period {
            case .total: 0
            case .hour: seconds - seconds % 3_600
            case .day: days * 86_400
            // 2024-01-01 was a Monday.
            case .week: (19_723 + (days - 19_723) / 7 * 7) * 86_400
            case .month: Self.firstOfMonth(days) * 86_400
            }
        return Instant(milliseconds: start * 1_000)
    }

    /// The day, since 1970, on which the month of `day` began: counted up from 2024-01-01.
    private static func firstOfMonth(_ day: Int64) -> Int64 {
        var first: Int64 = 19_723
        var year = 2_024
        var month = 1
        while true {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let length: Int64 =
                switch month {
                case 2: isLeap ? 29 : 28
                case 4, 6, 9, 11: 30
                default: 31
                }
            if first + length > day { return first }
            first += length
            month = month % 12 + 1
            if month == 1 { year += 1 }
        }
    }
}
