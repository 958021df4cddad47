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
            var table = Table([
                .init(title: "QUEUE", isFlexible: true), .init(title: "STATE"),
                .init(title: "AT ONCE", alignment: .right),
                .init(title: "QUEUED", alignment: .right), .init(title: "RUNNING", alignment: .right),
            ])
            for queue in queues {
                table.add([
                    .init(text: oneLine(queue.name)),
                    .init(text: queue.isPaused ? "paused" : "open", style: queue.isPaused ? .warning : nil),
                    .init(text: queue.maxRunning.map(grouped) ?? "–"),
                    .init(text: grouped(queue.counts[.queued] ?? 0)),
                    .init(text: grouped(queue.counts[.running] ?? 0)),
                ])
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
        static let configuration = CommandConfiguration(abstract: "Limit how many tasks of a queue run at once.")

        @OptionGroup var database: DatabaseOption
        @Option(help: ArgumentHelp("So many at once, or none for no limit of its own.", valueName: "number"))
        var maxRunning: String
        @Flag(help: "Make a queue that is not there yet.") var create = false
        @Argument(help: "The queue.", completion: .queues) var name: String

        func validate() throws {
            guard maxRunning == "none" || Int(maxRunning).map({ $0 >= 0 }) == true else {
                throw ValidationError("--max-running: \"\(maxRunning)\" is neither a number nor none.")
            }
        }

        func run() throws {
            let known = try database.open { file in
                let known = try file.queues().map(\.name)
                try QueueCommand.check(name, known, create: create)
                try file.setMaxRunning(Int(maxRunning), queue: name)
                return known
            }
            let limit = maxRunning == "none" ? "no limit of its own" : "\(maxRunning) at once"
            Console.current.say("\(oneLine(name)): \(limit)" + (known.contains(name) ? "" : ", a new queue"))
        }
    }
}
