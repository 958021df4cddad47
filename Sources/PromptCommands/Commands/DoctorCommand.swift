import ArgumentParser
import PromptConfiguration
import PromptQueue

struct DoctorCommand: AsyncParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check what promptd needs, and say how to fix it.",
        discussion: """
            Looks at the database and its rights, SQLite, the kept sums, the clock, the daemon, its gates and jobs, the disks, \
            the unit, the pages' token, the key, the provider, and the way of callbacks. Exits with 0 if all is well, 1 with warnings, 2 with \
            faults.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var format: JSONOption

    @Flag(help: "Read the whole database for damages, too.")
    var full = false

    @Flag(help: "Write into the kept sums and counts what the rows add up to.")
    var rebuildSums = false

    @Flag(help: "Do not ask the provider.")
    var offline = false

    func run() async throws {
        let console = Console.current
        var findings = DatabaseChecks(database: database, console: console, full: full, rebuildSums: rebuildSums).run()
        findings += MachineChecks(
            database: database.place,
            media: media(console.settings),
            uploadRoots: console.settings.uploadRoots
        )
        .run()
        findings += token(console.settings)
        findings += await ProviderChecks(database: database, console: console, offline: offline).run()
        for finding in findings {
            console.print(
                format.json ? JSONValue.object(finding.object).json : finding.line(hasColour: console.hasColour)
            )
        }
        let code = findings.exitCode
        if code != 0 { throw ExitCode(code) }
    }

    private func token(_ settings: DaemonConfiguration) -> [Finding] {
        guard let file = Credentials.openTokenFile(settings) else { return [] }
        return [
            .warning(
                "web token",
                "\(file): every user of this machine can read it, and change what the pages show",
                fix:
                    "chmod o= \(file); if somebody may have read it, write another one into it and systemctl reload promptd"
            )
        ]
    }

    /// The media directory, where it is known: configured, or beside the configured database.
    private func media(_ settings: DaemonConfiguration) -> String? {
        settings.media != DaemonConfiguration().media || database.place == DatabasePlace(settings.database)
            ? settings.media : nil
    }
}
