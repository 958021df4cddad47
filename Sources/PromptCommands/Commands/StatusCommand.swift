import ArgumentParser
import Glibc
import PromptQueue

struct StatusCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the daemon, the queues, the budgets, and what the backlog will cost.",
        discussion: """
            With --batch: how many of its jobs are where, what they were charged, what is to come, and when they are done.

            promptctl status
            promptctl status -b spring-sale
            promptctl status --json
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var format: JSONOption

    @Option(name: .shortAndLong, help: "Show this batch instead.", completion: .batches)
    var batch: String?

    func run() throws {
        let console = Console.current
        try database.open { file in
            if let batch {
                let status = try BatchStatus(batch, file, now: console.now())
                if format.json { return console.print(JSONValue.object(status.object).json) }
                return status.lines(console).forEach(console.print)
            }
            let status = try Status(file, now: console.now())
            let schedules = try file.schedules()
            if format.json {
                let listed = JSONValue.array(schedules.map { .object($0.object) })
                console.print(JSONValue.object(status.object.merging(["schedules": listed]) { $1 }).json)
            } else {
                let page = StatusPage(status: status, console: console, schedules: schedules)
                for line in page.lines { console.print(line) }
            }
        }
    }
}

struct WatchCommand: AsyncParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show the status live, until you press q.",
        discussion: """
            promptctl watch
            promptctl watch -b spring-sale
            """
    )

    @OptionGroup var database: DatabaseOption

    @Option(name: .shortAndLong, help: "Show this batch instead.", completion: .batches)
    var batch: String?

    func run() async throws {
        let console = Console.current
        guard console.isOutputTerminal else {
            throw CommandError(.usage, "watch draws on a terminal; for a script there is promptctl status --json")
        }
        try await database.open { file in
            if let batch { _ = try BatchStatus(batch, file, now: console.now()) }
            console.keyboard?.begin()
            defer { console.keyboard?.end() }
            while true {
                // A terminal can become another size while one looks.
                let console = console.measured
                let lines = Self.fitting(try page(file, console), console)
                // Overwriting line by line does not flicker as clearing the screen would. What a line had before goes
                // first: behind a full line there is no place for the cursor, and its last character would go instead.
                let drawn = lines.map { "\u{1B}[K" + console.harmless(truncateStyled($0, to: console.columns)) }
                console.writeOutput("\u{1B}[H" + drawn.joined(separator: "\n") + "\n\u{1B}[J")
                console.writeError("")
                guard try await goesOn(console) else { return }
            }
        }
    }

    private func page(_ file: any QueueClient, _ console: Console) throws -> [String] {
        if let batch { return try BatchStatus(batch, file, now: console.now()).lines(console) }
        let status = try Status(file, now: console.now())
        return StatusPage(status: status, console: console, schedules: try file.schedules()).lines
    }

    /// Waits a second, or until there is a reason to draw again.
    private func goesOn(_ console: Console) async throws -> Bool {
        guard let keyboard = console.keyboard else {
            try await console.sleep(.seconds(1))
            return true
        }
        switch try await keyboard.next(within: .seconds(1)) {
        case .key(let key): return key != UInt8(ascii: "q") && key != UInt8(ascii: "Q")
        case .signal(let number):
            // Ends as it would have, with the terminal as it was.
            keyboard.end()
            raise(number)
            return false
        case .resized, nil: return true
        }
    }

    /// The first lines say most; a terminal would show the last ones.
    static func fitting(_ lines: [String], _ console: Console) -> [String] {
        // The cursor stands in a line of its own.
        let room = console.rows - 1
        guard lines.count > room else { return lines }
        return lines.prefix(room - 1) + ["… and \(lines.count - room + 1) more lines: promptctl status"]
    }
}
