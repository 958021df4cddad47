import ArgumentParser
import PromptQueue

struct QueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue",
        abstract: "List, pause and limit queues.",
        discussion: """
            promptctl queue list
            promptctl queue pause ads
            promptctl queue set ads --max-running 5
            promptctl queue set acme --account acme
            """,
        subcommands: [List.self, Pause.self, Resume.self, Set.self]
    )

    struct List: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(abstract: "List the queues.")

        @OptionGroup var database: DatabaseOption
        @OptionGroup var format: JSONOption

        func run() throws {
            let console = Console.current
            let queues = try database.open { try $0.queues() }
            if format.json {
                for queue in queues { console.print(JSONValue.object(queue.object).json) }
                return
            }
            // People with one account need not hear of it.
            let hasSeveral = queues.contains { $0.account != .standard }
            var table = Table(
                [
                    .init(title: "QUEUE", isFlexible: true), .init(title: "STATE"),
                    .init(title: "AT ONCE", alignment: .right),
                    .init(title: "QUEUED", alignment: .right), .init(title: "RUNNING", alignment: .right),
                ] + (hasSeveral ? [.init(title: "ACCOUNT", isFlexible: true)] : [])
            )
            for queue in queues {
                table.add(
                    [
                        .init(text: oneLine(queue.name)),
                        .init(text: queue.isPaused ? "paused" : "open", style: queue.isPaused ? .warning : nil),
                        .init(text: queue.maxRunning.map(grouped) ?? "–"),
                        .init(text: grouped(queue.counts[.queued] ?? 0)),
                        .init(text: grouped(queue.counts[.running] ?? 0)),
                    ] + (hasSeveral ? [.init(text: "\(queue.account)")] : [])
                )
            }
            let width = console.isOutputTerminal ? console.columns : nil
            for line in table.lines(width: width, hasColour: console.hasColour) { console.print(line) }
        }
    }

    struct Pause: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(
            abstract: "Submit nothing more of these queues.",
            discussion: "What is already paid for is still followed and downloaded."
        )

        @OptionGroup var database: DatabaseOption
        @Flag(help: "Make a queue that is not there yet.") var create = false
        @Argument(help: "The queues.", completion: .queues) var names: [String]

        func run() throws {
            try database.open { file in
                let known = try file.queues().map(\.name)
                // All of them, or none.
                for name in names { try QueueCommand.check(name, known, create: create) }
                for name in names {
                    try file.setPaused(true, queue: name)
                    Console.current.say("paused \(oneLine(name))" + (known.contains(name) ? "" : ", a new queue"))
                }
            }
        }
    }

    /// A mistyped name would leave the queue that was meant as it is.
    private static func check(_ name: String, _ known: [String], create: Bool) throws(CommandError) {
        guard !create, !known.contains(name) else { return }
        let sentence = KnownNames.sentence("queue", name, known, "promptctl queue list")
        throw CommandError(.badData, "\(sentence). --create makes it")
    }

    struct Resume: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(abstract: "Submit the jobs of these queues again.")

        @OptionGroup var database: DatabaseOption
        @Argument(help: "The queues.", completion: .queues) var names: [String]

        func run() throws {
            try database.open { file in
                let known = try file.queues().map(\.name)
                for name in names {
                    guard known.contains(name) else {
                        throw CommandError(.badData, KnownNames.sentence("queue", name, known, "promptctl queue list"))
                    }
                    try file.setPaused(false, queue: name)
                    Console.current.say("resumed \(oneLine(name))")
                }
            }
        }
    }

    struct Set: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(
            abstract: "Limit how many tasks of a queue run at once, or name the account that its jobs are sent under.",
            discussion: "What is sent already stays with the account that it was sent under."
        )

        @OptionGroup var database: DatabaseOption
        @Option(help: ArgumentHelp("So many at once, or none for no limit of its own.", valueName: "number"))
        var maxRunning: String?
        @Option(help: ArgumentHelp("One of accounts in the configuration, or default.", valueName: "name"))
        var account: String?
        @Flag(help: "Make a queue that is not there yet.") var create = false
        @Argument(help: "The queue.", completion: .queues) var name: String

        func validate() throws {
            guard maxRunning != nil || account != nil else {
                throw ValidationError("Give --max-running, --account, or both.")
            }
            if let maxRunning, maxRunning != "none", Int(maxRunning).map({ $0 >= 0 }) != true {
                throw ValidationError("--max-running: \"\(maxRunning)\" is neither a number nor none.")
            }
        }

        func run() throws {
            let known = try database.open { file in
                let known = try file.queues().map(\.name)
                try QueueCommand.check(name, known, create: create)
                let account = try self.account.map { text throws(CommandError) in
                    try KnownNames.account(text, in: file)
                }
                if let maxRunning { try file.setMaxRunning(Int(maxRunning), queue: name) }
                if let account { try file.setAccount(account == .standard ? nil : account, queue: name) }
                return known
            }
            let limit = maxRunning.map { $0 == "none" ? "no limit of its own" : "\($0) at once" }
            let parts = [limit, account.map { "account \($0)" }].compactMap(\.self)
            Console.current.say(
                "\(oneLine(name)): \(parts.joined(separator: ", "))" + (known.contains(name) ? "" : ", a new queue")
            )
        }
    }
}
