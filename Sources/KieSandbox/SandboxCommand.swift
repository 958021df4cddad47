package import ArgumentParser
import Glibc
import Hummingbird
import Logging
import PromptQueue
import ServiceLifecycle
import UnixSignals

/// `kie-sandbox`: the command line.
package struct SandboxCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "kie-sandbox",
        abstract: "A stand-in for the kie.ai API: no account, no network, no money.",
        discussion: """
            Serves the API on a local address, with its limits, its prices and its oddities, and makes real result \
            files. Prints one line to standard output when it is ready. Faults happen by chance (--fault) or on \
            demand (POST /sandbox/faults):

            \(Fault.manual)
            """
    )

    @Option(
        help: "Address to listen on; port 0 takes a free one. (default: 127.0.0.1:41877)",
        transform: ListenAddress.init
    )
    var listen = ListenAddress.default

    @Option(help: "The API key that is let in.")
    var apiKey = "sandbox-key"

    @Option(
        help: ArgumentHelp(
            "Another account: its key, and its balance. Its limits are its own.",
            valueName: "key=credits"
        ),
        transform: parseAccount
    )
    var account: [SandboxAccount] = []

    @Option(help: "The account's balance. (default: 1000)", transform: parseCredits)
    var credits = Credits(millicredits: 1_000_000)

    @Option(help: "Limit on new tasks, or off. (default: 20/10s)", transform: parseRate)
    var rate: RateOption = .limit(RateLimit(count: 20, window: .seconds(10)))

    @Option(help: "Limit on status queries, or off. (default: 10/1s)", transform: parseRate)
    var pollRate: RateOption = .limit(RateLimit(count: 10, window: .seconds(1)))

    @Option(help: "How long tasks take. (default: 3s)", transform: parseDuration)
    var duration: Duration = .seconds(3)

    @Option(help: "How much more or less. (default: 1s)", transform: parseDuration)
    var jitter: Duration = .seconds(1)

    @Option(help: "How durations are spread; lognormal has --duration as its median.")
    var spread: TaskDuration.Shape = .uniform

    @Option(help: "How long every answer takes. (default: 0s)", transform: parseDuration)
    var latency: Duration = .zero

    @Option(
        help: "How long the faults named slow and stall hold an answer back. (default: 40s)",
        transform: parseDuration
    )
    var slow: Duration = .seconds(40)

    @Option(
        help: "How long the fault named held keeps a request on its way. (default: 150s)",
        transform: parseDuration
    )
    var held: Duration = .seconds(150)

    @Option(help: "How long a new task stays unknown to status queries. (default: 0s)", transform: parseDuration)
    var invisible: Duration = .zero

    @Option(help: "How long uploaded files are kept. (default: 3d)", transform: parseDuration)
    var uploadsKept: Duration = .seconds(3 * 86_400)

    @Option(help: "How long results can be fetched. (default: for ever)", transform: parseDuration)
    var resultsKept: Duration?

    @Option(help: "Seed of all chance: equal seeds, equal runs.")
    var seed: UInt64 = 1

    @Option(help: "Key that signs callbacks.")
    var hmacKey: String?

    @Option(
        help: ArgumentHelp("A fault and how often it happens: lost=0.05 or lost=5%.", valueName: "name=rate"),
        transform: parseFault
    )
    var fault: [FaultRate] = []

    @Flag(help: "Log every request to standard error.")
    var verbose = false

    package init() {}

    package func run() async throws {
        var logger = Logger(label: "kie-sandbox") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = verbose ? .debug : .notice
        var serviceLogger = logger
        serviceLogger.logLevel = .critical
        let sandbox = Sandbox(configuration: sandboxConfiguration, catalogue: .builtIn)
        let application = sandbox.application(host: listen.host, port: listen.port, logger: logger) { url in
            print("kie-sandbox listening on \(url)")
            fflush(nil)
        }
        var services = ServiceGroupConfiguration(
            services: [application],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: serviceLogger
        )
        // A client in the middle of a request must not keep the sandbox up.
        services.maximumGracefulShutdownDuration = .milliseconds(500)
        do {
            try await ServiceGroup(configuration: services).run()
        } catch {
            logger.critical("cannot serve", metadata: ["listen": "\(listen)", "reason": "\(error)"])
            throw ExitCode(69)
        }
    }

    /// The flags as the sandbox's configuration.
    package var sandboxConfiguration: SandboxConfiguration {
        var configuration = SandboxConfiguration()
        configuration.apiKey = apiKey
        configuration.credits = credits
        configuration.accounts = account.map { ($0.key, $0.credits) }
        configuration.rate = rate.value
        configuration.pollRate = pollRate.value
        configuration.duration = TaskDuration(typical: duration, jitter: jitter, shape: spread)
        configuration.latency = latency
        configuration.slow = slow
        configuration.held = held
        configuration.invisible = invisible
        configuration.uploadsKept = uploadsKept
        configuration.resultsKept = resultsKept
        configuration.seed = seed
        configuration.hmacKey = hmacKey
        configuration.faults = Dictionary(fault.map { ($0.fault, $0.rate) }) { $1 }
        return configuration
    }
}

extension TaskDuration.Shape: ExpressibleByArgument {}
