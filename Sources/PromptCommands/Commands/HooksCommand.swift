import ArgumentParser
import PromptConfiguration
import PromptQueue

struct HooksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hooks",
        abstract: "Show what hooks were told, have it told once more, and try them out.",
        discussion: """
            promptctl hooks list --dead
            promptctl hooks retry --dead
            promptctl hooks test mail
            """,
        subcommands: [List.self, Retry.self, Test.self]
    )

    struct List: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what hooks are still to be told, and what was given up; the newest first."
        )

        @OptionGroup var database: DatabaseOption
        @OptionGroup var format: JSONOption
        @Flag(help: "Only what was given up.") var dead = false
        @Flag(help: "What was delivered within the last week, too.") var all = false
        @Option(help: "At most so many. (default: 50, with --json all)") var limit: Int?

        func validate() throws {
            if let limit, limit <= 0 { throw ValidationError("--limit: \(limit) is not at least 1.") }
            if dead, all { throw ValidationError("Give --dead or --all, not both.") }
        }

        func run() throws {
            let console = Console.current
            let states: Swift.Set<HookDelivery.State> =
                dead ? [.dead] : all ? Swift.Set(HookDelivery.State.allCases) : [.pending, .dead]
            let deliveries = try database.open { file in
                try file.hookDeliveries(states, limit: limit ?? (format.json ? .max : 50))
            }
            if format.json {
                for delivery in deliveries { console.print(JSONValue.object(delivery.object).json) }
                return
            }
            guard !deliveries.isEmpty else {
                console.say(
                    console.settings.hooks.isEmpty
                        ? "there are no hooks in the configuration"
                        : "nothing waits to be told, and nothing was given up"
                )
                return
            }
            let width = console.isOutputTerminal ? console.columns : nil
            let table = Self.table(deliveries, console)
            for line in table.lines(width: width, hasColour: console.hasColour) { console.print(line) }
        }

        private static func table(_ deliveries: [HookDelivery], _ console: Console) -> Table {
            var table = Table([
                .init(title: "ID", alignment: .right), .init(title: "HOOK"), .init(title: "EVENT"),
                .init(title: "OF"), .init(title: "STATE"), .init(title: "TRIES", alignment: .right),
                .init(title: "NEXT TRY"), .init(title: "LAST ERROR", isFlexible: true),
            ])
            for delivery in deliveries {
                let subject = delivery.job.map { "job \($0)" } ?? oneLine(delivery.subject ?? "–")
                table.add([
                    .init(text: "\(delivery.id)"), .init(text: oneLine(delivery.hook)),
                    .init(text: delivery.event.rawValue), .init(text: subject),
                    .init(text: delivery.state.rawValue, style: delivery.state == .dead ? .warning : nil),
                    .init(text: "\(delivery.attempts)"),
                    .init(text: delivery.state == .pending ? console.time(delivery.nextTry) : "–"),
                    .init(text: oneLine(delivery.lastError ?? "–")),
                ])
            }
            return table
        }
    }

    struct Retry: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(abstract: "Have hooks told once more, from now on.")

        @OptionGroup var database: DatabaseOption
        @Flag(help: "All that were given up.") var dead = false
        @Argument(help: "Deliveries, by the ids that hooks list shows.") var ids: [Int64] = []

        func validate() throws {
            guard ids.isEmpty == dead else { throw ValidationError("Give ids of deliveries, or --dead.") }
        }

        func run() throws {
            let console = Console.current
            let told = try database.open { file in
                try file.retryHooks(dead ? nil : ids.map(HookDeliveryID.init), now: console.now())
            }
            if !dead, told < Swift.Set(ids).count {
                throw CommandError(.badData, "\(told) of \(ids.count) deliveries are there, and are made once more")
            }
            console.say("\(count(told, "delivery", "deliveries")) will be made once more")
        }
    }

    struct Test: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell a hook something, to try it out.",
            discussion:
                "promptd does so within seconds, if it runs; promptctl hooks list --all shows what became of it."
        )

        @OptionGroup var database: DatabaseOption
        @Argument(help: "The hook's name in the configuration.") var name: String

        func run() throws {
            let console = Console.current
            let names = console.settings.hooks.map(\.name)
            guard names.contains(name) else {
                throw CommandError(.badData, KnownNames.sentence("hook", name, names, nil))
            }
            let (id, isRunning) = try database.open { file in
                (try file.testHook(name, now: console.now()), file.daemonProcessID != nil)
            }
            console.print("\(id)")
            console.say(
                isRunning
                    ? "\(oneLine(name)) will be told; promptctl hooks list --all shows what became of it"
                    : "\(oneLine(name)) will be told when promptd runs"
            )
        }
    }
}
