package import ArgumentParser
import FoundationEssentials
import Glibc
import Logging
import MediaStore
import PromptConfiguration
import PromptQueue

/// `promptd`, in the foreground.
package struct DaemonCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "promptd",
        abstract:
            "Submits the prompt jobs of a queue in SQLite or PostgreSQL to the provider and brings the results home.",
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
        var daemon: Daemon?
        do {
            let configuration = try await ConfigurationLoader.load(file: config, environment: environment)
            if checkConfig {
                try ConfigurationCheck.run(configuration, environment: environment)
                if let file = Credentials.openTokenFile(configuration) {
                    print("web.tokenFile: every user of this machine can read the token; do: chmod o= \(file)")
                }
                print("the configuration is good")
            } else {
                let started = Daemon(configuration, file: config, environment: environment)
                daemon = started
                try await started.run()
            }
        } catch {
            if let daemon, (error as? LedgerError)?.code == .fenced {
                daemon.logger.error(
                    "this promptd could not be heard of in time, and begins anew",
                    metadata: ["reason": "\(error)"]
                )
                NewBeginning.run()
            }
            let status = Self.exitStatus(for: error)
            let message = Array((PlainText.lines("promptd: \(error)") + "\n").utf8)
            _ = unsafe message.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if let error = error as? LedgerError, error.isTransient, let daemon, !daemon.notifier.hasBeenReady {
                await Self.wait(environment, because: error)
            }
            throw ExitCode(status.rawValue)
        }
    }

    /// The unit allows few starts within an hour, because a promptd that dies at work may leave a request without an answer. A
    /// start that finds the disk full or the database locked sends nothing, and may be repeated for as long as that lasts: so
    /// slowly that the limit is not met. Without systemd it ends at once.
    private static func wait(_ environment: [String: String], because error: LedgerError) async {
        let notifier = SystemdNotifier(environment: environment)
        guard notifier.isUsed else { return }
        let seconds = environment["PROMPTD_TEST_START_PAUSE_SECONDS"].flatMap { Int64($0) } ?? 150
        notifier.send(
            "EXTEND_TIMEOUT_USEC=\((seconds + 30) * 1_000_000)\nSTATUS=waiting to start again: \(PlainText.oneLine(error.message))"
        )
        try? await ContinuousClock().sleep(for: .seconds(seconds))
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
