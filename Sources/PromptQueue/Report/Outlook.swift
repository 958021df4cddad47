/// What new jobs leave of the budgets and of the account, once they and all that waits before them are done.
package struct Outlook: Sendable {
    package struct BudgetLine: Sendable {
        package let budget: BudgetRecord
        /// What its backlog will take, the new jobs included. Of a narrow budget only the new ones are known.
        package let backlog: Credits

        package var after: Credits { budget.left - backlog }
    }

    /// Those that concern the new jobs' queues.
    package let budgets: [BudgetLine]
    /// The account's, less what was sent since it was last asked for.
    package let balance: Credits?
    /// What the account is to keep (`credits.reserve`).
    package let reserve: Credits
    /// What the whole backlog will take, the new jobs included.
    package let backlog: Credits
    /// Whether every queued job was looked at.
    private let isExact: Bool

    /// - Parameters:
    ///   - record: before the jobs are added.
    ///   - added: what the new jobs cost.
    package init(_ record: StatusRecord, adding added: NewCredits, now: Instant) {
        let forecast = Forecast(record, record.catalogue, now: now)
        backlog = forecast.credits + added.total
        balance = record.daemon.available
        reserve = record.daemon.rules.creditReserve
        isExact = forecast.isExact
        let all = backlog
        budgets = record.budgets.compactMap { budget in
            guard !budget.scope.isNarrow else {
                return added.byBudget[budget.name].map { BudgetLine(budget: budget, backlog: $0) }
            }
            guard let queue = budget.scope.queue else { return BudgetLine(budget: budget, backlog: all) }
            guard let own = added.byQueue[queue] else { return nil }
            return BudgetLine(budget: budget, backlog: own + (forecast.creditsByQueue[queue] ?? .zero))
        }
    }

    /// Sentences for people.
    package var sentences: [String] { budgets.map(sentence) + [account].compactMap(\.self) }

    /// The same for programs.
    package var object: JSONObject {
        [
            "budgets": .array(
                budgets.map { line in
                    .object([
                        "budget": .string(line.budget.name),
                        "left_credits": JSONValue(line.budget.left),
                        "left_after_backlog_credits": JSONValue(line.after),
                    ])
                }
            ),
            "balance_credits": JSONValue(balance),
            "balance_after_backlog_credits": JSONValue(balance.map { $0 - backlog }),
            "reserve_credits": JSONValue(reserve),
        ]
    }

    private var about: String { isExact ? "" : "about " }

    private func sentence(_ line: BudgetLine) -> String {
        let budget = line.budget
        let name = "Budget \(budget.name)" + (budget.period == "total" ? "" : "/\(budget.period)")
        guard line.after < .zero else {
            return "\(name): \(budget.left.grouped) → \(about)\(line.after.grouped) of \(budget.limit.grouped) left"
                + (budget.scope.isNarrow ? " after these." : " after the backlog.")
        }
        let isNear = budget.period == "hour" || budget.period == "day"
        let reset =
            budget.resetsAt.map { " until \(isNear ? $0.utcMinutes : $0.utcDayAndMinutes)" } ?? " for a higher limit"
        return
            "\(name): \(budget.left.grouped) of \(budget.limit.grouped) left and \(about)\(line.backlog.grouped) queued; "
            + "what does not fit waits\(reset)."
    }

    private var account: String? {
        guard let balance else { return nil }
        let after = balance - backlog
        guard after >= reserve || reserve == .zero else {
            return "Account: \(balance.inWords), of which \(reserve.grouped) are its reserve, and "
                + "\(about)\(backlog.grouped) queued; what the rest cannot pay waits for a top-up."
        }
        guard after < .zero else {
            return "Account: \(balance.grouped) → \(about)\(after.grouped) credits after the backlog."
        }
        return
            "Account: \(balance.inWords) and \(about)\(backlog.grouped) queued; what it cannot pay waits for a top-up."
    }
}
