package import ArgumentParser
import FoundationEssentials
import Glibc
import MediaStore
import PromptConfiguration
import PromptQueue

/// `promptd`, in the foreground.
package struct DaemonCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "promptd",
        abstract: "Submits the prompt jobs of a SQLite queue to the provider and brings the results home.",
        discussion: """
            Settings come from the configuration file and, over it, from PROMPTD_… environment variables. The API key comes \
            from provider.apiKeyFile, the systemd credential api-key, or KIE_API_KEY.
            SIGTERM and SIGINT finish what is under way and end; a second one ends at once. SIGHUP reloads settings and key.
            """,
        version: Version.current
    )

    @Option(
        help: ArgumentHelp("The configuration file.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var config: String?

    @Flag(help: "Check the configuration, the key, the database and the media directory, and exit.")
    var checkConfig = false

    package init() {}

    package func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        do {
            let configuration = try await ConfigurationLoader.load(file: config, environment: environment)
            if checkConfig {
                try ConfigurationCheck.run(configuration, environment: environment)
                print("the configuration is good")
            } else {
                try await Daemon(configuration, file: config, environment: environment).run()
            }
        } catch {
            let status = Self.exitStatus(for: error)
            let message = Array((PlainText.lines("promptd: \(error)") + "\n").utf8)
            _ = unsafe message.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
            throw ExitCode(status.rawValue)
        }
    }

    static func exitStatus(for error: any Error) -> ExitStatus {
        switch error {
        case is ConfigurationError: .configuration
        case is LedgerHeld, is MediaOwner.Held: .temporary
        case is WebError: .unavailable
        case is MediaError: .cannotCreate
        // To a person's statement a rule of the schema is bad data; to promptd's own it is a bug, which another start may
        // get past: systemd does not start again after 65.
        case let error as LedgerError where error.code == .constraint: .internal
        case let error as LedgerError: ExitStatus(error)
        default: .internal
        }
    }
}
