import ArgumentParser
import PromptQueue

struct BudgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budget",
        abstract: "List, set and remove budgets.",
        discussion: """
            A job is not submitted while it would take a budget past its limit. Periods are UTC.

            promptctl budget set ads --limit 500 --period day -q ads
            promptctl budget set acme --limit 2000 --period month --label client=acme
            promptctl budget list
            """,
        subcommands: [List.self, Set.self, Remove.self]
    )

    struct List: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(abstract: "List the budgets and what is left of them.")

        @OptionGroup var database: DatabaseOption
        @OptionGroup var format: JSONOption

        func run() throws {
            let console = Console.current
            let budgets = try database.open { try $0.budgets() }
            if format.json {
                for budget in budgets { console.print(JSONValue.object(budget.object).json) }
                return
            }
            guard !budgets.isEmpty else {
                console.say("no budgets; promptctl budget set NAME --limit CREDITS --period day makes one")
                return
            }
            var table = Table.ofBudgets
            for budget in budgets { table.add(budget.cells) }
            let width = console.isOutputTerminal ? console.columns : nil
            for line in table.lines(width: width, hasColour: console.hasColour) { console.print(line) }
        }
    }

    struct Set: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(abstract: "Make a budget, or replace it.")

        @OptionGroup var database: DatabaseOption
        @Option(help: "The limit, in credits.")
        var limit: Credits
        @Option(help: "total, hour, day, week or month.")
        var period: BudgetPeriod
        @Option(
            name: .shortAndLong,
            help: "Only for this queue. (default: all together; a budget that exists keeps what it is for)",
            completion: .queues
        )
        var queue: String?
        @Option(name: .shortAndLong, help: "Only for this model.", completion: .models)
        var model: String?
        @Option(name: .shortAndLong, help: "Only for this batch.", completion: .batches)
        var batch: String?
        @Option(help: ArgumentHelp("Only for jobs with this label.", valueName: "key=value"))
        var label: KeyValue?
        @Option(help: ArgumentHelp("Only for what is sent under this account.", valueName: "name"))
        var account: String?
        @Flag(help: "For all jobs together, also if it was for some.")
        var allQueues = false
        @Argument(help: "The budget.") var name: String

        func validate() throws {
            let isNarrowed = queue != nil || model != nil || batch != nil || label != nil || account != nil
            guard !isNarrowed || !allQueues else {
                throw ValidationError("Give --all-queues, or what the budget is for, not both.")
            }
        }

        func run() throws {
            let kept = try database.open { file in
                let old = try file.budgets().first { $0.name == name }
                let account = try self.account.map { text throws(CommandError) in
                    try KnownNames.account(text, in: file)
                }
                let kept = scope(account, keeping: old?.scope ?? BudgetScope())
                if let queue = kept.queue, try !file.queues().contains(where: { $0.name == queue }) {
                    Console.current.say(
                        "there was no queue \(oneLine(queue)) yet: it is made now; promptctl queue list shows the others"
                    )
                }
                if let batch = kept.batch, try !file.hasBatch(batch) {
                    Console.current.say("there is no job of the batch \(oneLine(batch)) yet")
                }
                try file.setBudget(name, scope: kept, period: period, limit: limit)
                return kept
            }
            let time = period == .total ? "in total" : "each \(period.rawValue)"
            Console.current.say(
                "budget \(oneLine(name)): \(limit.inWords)\(Console.current.money(limit)) \(time) for \(oneLine("\(kept)"))"
            )
        }

        /// What is given replaces what the budget was for; without any of it that is kept.
        private func scope(_ account: AccountName?, keeping old: BudgetScope) -> BudgetScope {
            if allQueues { return BudgetScope() }
            let given = BudgetScope(
                queue: queue,
                model: model,
                batch: batch,
                label: label.map { BudgetScope.Label(name: $0.key, value: $0.value) },
                account: account
            )
            return given == BudgetScope() ? old : given
        }
    }

    struct Remove: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a budget.")

        @OptionGroup var database: DatabaseOption
        @Argument(help: "The budget.") var name: String

        func run() throws {
            guard try database.open({ try $0.removeBudget(name) }) else {
                throw CommandError(.badData, "budget \(name): there is no such budget; promptctl budget list")
            }
            Console.current.say("removed the budget \(oneLine(name))")
        }
    }
}

extension BudgetPeriod: ExpressibleByArgument {}

extension Credits: ExpressibleByArgument {
    package init?(argument: String) { self.init(text: argument) }
}
