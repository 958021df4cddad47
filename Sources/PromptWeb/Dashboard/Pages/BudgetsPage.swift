import PromptQueue

/// A budget, as pages show it.
struct BudgetView {
    let name: String
    let scope: String
    let period: String
    let limit: String
    let reserved: String
    let spent: String
    let left: String
    let isOver: Bool
    let resets: String?
    let resetsAt: TimeView?
    let meter: MeterView

    init(_ budget: BudgetRecord, now: Instant) {
        name = budget.name
        scope = budget.scope.description
        period = budget.period
        limit = budget.limit.grouped
        reserved = budget.reserved.grouped
        spent = budget.spent.grouped
        left = budget.left < .zero ? "over by \((.zero - budget.left).grouped)" : budget.left.grouped
        isOver = budget.left <= .zero
        resetsAt = budget.resetsAt.map { TimeView($0, now: now) }
        resets = resetsAt?.text
        let used = budget.reserved + budget.spent
        meter = MeterView(
            "\(used.grouped) of \(budget.limit.grouped) used",
            used: used.doubleValue,
            of: budget.limit.doubleValue
        )
    }
}

struct BudgetsView {
    let frame: Frame
    let budgets: [BudgetView]
    let charts: [ChartView]
}

extension Dashboard {
    func budgets() async throws -> PageContent {
        let now = now()
        let (budgets, charts) = try await source.read { reader in
            (try reader.budgets(), try SpendingCharts.read(reader, now: now))
        }
        return PageContent(
            "budgets",
            BudgetsView(
                frame: Frame("Budgets", at: "/budgets"),
                budgets: budgets.map { BudgetView($0, now: now) },
                charts: charts
            )
        )
    }
}
