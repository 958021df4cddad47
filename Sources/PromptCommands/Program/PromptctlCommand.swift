package import ArgumentParser
import FoundationEssentials
import Glibc
import PromptQueue
import SystemPackage

/// `promptctl`: works on the database file directly, whether the daemon runs or not.
package struct PromptctlCommand: AsyncParsableCommand, SettingsCommand {
    package static let configuration = CommandConfiguration(
        commandName: "promptctl",
        abstract: "Fills promptd's queue, watches it, and steps in.",
        discussion: """
            Works on the database file itself, so it works while the daemon is down. What is asked for goes to standard \
            output, everything else to standard error; --json makes it one object, or one object a line for lists.
            Exit codes: \(ExitStatus.list).

            promptctl add "a red fox in the snow" -m nano-banana-2 -i resolution=2K -b foxes --wait
            promptctl status
            promptctl list --state failed
            """,
        version: Version.current,
        groupedSubcommands: [
            CommandGroup(
                name: "Filling the queue",
                subcommands: [InitCommand.self, AddCommand.self, ImportCommand.self]
            ),
            CommandGroup(
                name: "Watching it",
                subcommands: [
                    ListCommand.self, ShowCommand.self, StatusCommand.self, WatchCommand.self, WaitCommand.self,
                    EventsCommand.self,
                    OpenCommand.self, GalleryCommand.self,
                ]
            ),
            CommandGroup(
                name: "Stepping in",
                subcommands: [
                    CancelCommand.self, RetryCommand.self, ResolveCommand.self, QueueCommand.self, BudgetCommand.self,
                    ScheduleCommand.self,
                ]
            ),
            CommandGroup(
                name: "The provider",
                subcommands: [ModelsCommand.self, CreditsCommand.self]
            ),
            CommandGroup(
                name: "Upkeep",
                subcommands: [
                    ExportCommand.self, PruneCommand.self, BackupCommand.self, RestoreCommand.self,
                    RestoredCommand.self, MigrateCommand.self, HooksCommand.self, DoctorCommand.self,
                    CompletionsCommand.self,
                ]
            ),
        ]
    )

    @OptionGroup var database: DatabaseOption

    package init() {}

    package mutating func run() async throws {
        throw CleanExit.helpRequest(self)
    }

    /// Runs the program with the process's arguments and ends it.
    package static func main() async {
        var code = await run(Array(CommandLine.arguments.dropFirst()))
        // Ids that nobody got are worse than an error: what was done was done, but not told.
        if let error = Console.outputError {
            let reason = Errno(rawValue: error).description
            Console.current.say("promptctl: standard output cannot be written: \(reason)")
            if code == 0 { code = ExitStatus.inputOutput.rawValue }
        }
        fflush(nil)
        Glibc.exit(code)
    }

    /// Runs one command line in the current `Console`.
    /// - Returns: the exit code.
    package static func run(_ arguments: [String]) async -> Int32 {
        var console = Console.current
        if LiveNames.isAskedFor(in: arguments) { console.settings = await LiveNames.settings(arguments, console) }
        return await Console.$current.withValue(console) { await parseAndRun(arguments) }
    }

    private static func parseAndRun(_ arguments: [String]) async -> Int32 {
        let console = Console.current
        if let problem = Misspelling.ofCommand(in: arguments) {
            return report(CommandError(.usage, problem), arguments, to: console)
        }
        do {
            var console = console
            let command = try await asyncParseAsRoot(arguments)
            if let command = command as? any SettingsCommand {
                console.settings = try await command.database.settings(console)
            }
            try await Console.$current.withValue(console) {
                var command = command
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
            }
            return 0
        } catch {
            return report(error, arguments, to: console)
        }
    }

    private static func report(_ error: any Error, _ arguments: [String], to console: Console) -> Int32 {
        switch error {
        case let error as CommandError:
            if !error.message.isEmpty { console.say("promptctl: \(error.message)") }
            return error.status.rawValue
        case let error as LedgerError:
            console.say("promptctl: \(error.message)" + (error.code == .busy ? "; try again in a moment" : ""))
            return ExitStatus(error).rawValue
        default:
            let code = exitCode(for: error)
            let message = fullMessage(for: error, columns: console.columns)
            if code.isSuccess {
                // A prompt such as "-the dog" asks for help by its h.
                if !arguments.contains(where: { ["-h", "--help", "help"].contains($0) }),
                    let problem = Misspelling.ofPrompt(in: arguments)
                {
                    console.say("promptctl: \(problem)")
                    return ExitStatus.usage.rawValue
                }
                console.print(message)
            } else if code == .validationFailure {
                let text = message.hasPrefix("Error: ") ? "promptctl: " + message.dropFirst(7) : message
                console.say(Misspelling.ofPrompt(in: arguments).map { "promptctl: \($0)" } ?? text)
            } else if !message.isEmpty {
                console.say("promptctl: \(error)")
            }
            return code.isSuccess ? 0 : code == .validationFailure ? ExitStatus.usage.rawValue : code.rawValue
        }
    }
}
