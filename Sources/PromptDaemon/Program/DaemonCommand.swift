package import ArgumentParser
import FoundationEssentials
import Glibc
import JobStore
import MediaStore
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
            let code = Self.exitCode(for: error)
            let message = Array((PlainText.lines("promptd: \(error)") + "\n").utf8)
            _ = unsafe message.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
            throw ExitCode(code)
        }
    }

    /// sysexits(3).
    static func exitCode(for error: any Error) -> Int32 {
        switch error {
        case is ConfigurationError: 78
        case is OwnerLock.Held, is MediaOwner.Held: 75
        case is WebError: 69
        case is MediaError: 73
        case let error as LedgerError:
            switch error.code {
            case .busy, .full: 75
            case .permission: 77
            case .unusable: 65
            case .inputOutput: 74
            case .constraint, .cancelled, .other: 70
            }
        default: 70
        }
    }
}
