import ArgumentParser
import PromptQueue

struct StatusCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the daemon, the queues, the budgets, and what the backlog will cost."
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var format: JSONOption

    func run() throws {
        let console = Console.current
        try database.open { file in
            let status = try Status(file, now: console.now())
            if format.json {
                console.print(JSONValue.object(status.object).json)
            } else {
                for line in StatusPage(status: status, console: console).lines { console.print(line) }
            }
        }
    }
}

struct WatchCommand: AsyncParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show the status live, until you press control-C."
    )

    @OptionGroup var database: DatabaseOption

    func run() async throws {
        let console = Console.current
        guard console.isOutputTerminal else {
            throw CommandError(.usage, "watch draws on a terminal; for a script there is promptctl status --json")
        }
        try await database.open { file in
            while true {
                let page = StatusPage(status: try Status(file, now: console.now()), console: console)
                // Overwriting line by line does not flicker as clearing the screen would.
                let lines = Self.fitting(page.lines, console).map { truncateStyled($0, console) + "\u{1B}[K" }
                console.writeOutput("\u{1B}[H" + lines.map(console.harmless).joined(separator: "\n") + "\n\u{1B}[J")
                console.writeError("")
                try await console.sleep(.seconds(1))
            }
        }
    }

    /// The first lines say most; a terminal would show the last ones.
    static func fitting(_ lines: [String], _ console: Console) -> [String] {
        // The cursor stands in a line of its own.
        let room = console.rows - 1
        guard lines.count > room else { return lines }
        return lines.prefix(room - 1) + ["… and \(lines.count - room + 1) more lines: promptctl status"]
    }

    /// Lines with colour are left to the terminal.
    private func truncateStyled(_ line: String, _ console: Console) -> String {
        line.contains("\u{1B}") ? line : truncate(line, to: console.columns)
    }
}
