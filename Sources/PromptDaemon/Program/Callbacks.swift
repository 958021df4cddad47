import Concurrency
import KieAPI
import Logging
import PromptConfiguration
import PromptQueue
import PromptWeb
import ServiceLifecycle

/// What receives callbacks, put together.
struct Callbacks: Sendable {
    let verifier: CallbackVerifier
    let counter: CallbackCounter
    private let configuration: DaemonConfiguration
    private let logger: Logger

    /// - Returns: nil if there is no `callbacks.publicURL`.
    /// - Throws: `ConfigurationError` when the key cannot be read.
    init?(
        _ configuration: DaemonConfiguration,
        environment: [String: String],
        time: SystemTime,
        logger: Logger
    ) throws(ConfigurationError) {
        guard configuration.callbacksPublicURL != nil else { return nil }
        self.configuration = configuration
        self.logger = logger
        verifier = CallbackVerifier(
            key: try Credentials.webhookKey(file: configuration.callbacksHMACKeyFile, environment: environment)
        )
        counter = CallbackCounter(logger: logger) { time.now.uptime }
    }

    /// - Parameter quiet: the logger of the server itself, which must not name paths.
    func service(
        _ ledger: any HintSource,
        _ runners: Runners,
        _ time: SystemTime,
        quiet: Logger,
        onListening: @escaping @Sendable () -> Void
    ) -> CallbackService {
        let listen = configuration.callbacksListen
        let handler = CallbackHandler(
            verifier: verifier,
            targets: ledger,
            isRunning: { runners.isRunning },
            now: { time.now.instant },
            hint: { runners.hinted($0, $1, candidate: $2) }
        )
        var limits = CallbackLimits()
        limits.connections = DescriptorLimit.connections(of: DescriptorLimit.raise())
        return CallbackService(
            address: listen,
            application: CallbackServer.application(
                host: listen.host,
                port: listen.port,
                limits: limits,
                counter: counter,
                logger: quiet,
                onListening: { [self] port in
                    onListening()
                    announce(ListenAddress(host: listen.host, port: port))
                },
                receive: { await handler.receive($0) }
            )
        )
    }

    /// Reloads the key.
    func reload(_ new: DaemonConfiguration, environment: [String: String]) throws(ConfigurationError) {
        verifier.replaceKey(
            try Credentials.webhookKey(file: new.callbacksHMACKeyFile, environment: environment)
        )
    }

    private func announce(_ address: ListenAddress) {
        logger.info(
            "callbacks",
            metadata: [
                "listen": "\(address)", "public": "\(configuration.callbacksPublicURL ?? "")",
                "signed": "\(verifier.hasKey)",
            ]
        )
        guard !verifier.hasKey else { return }
        logger.warning(
            """
            callbacks are not signed: whoever learns the address of one can make promptd ask about its task; \
            set up a key at the provider and in callbacks.hmacKeyFile
            """
        )
    }
}

extension Runner {
    /// A callback says that there is news of a task.
    func hinted(_ attempt: AttemptID, candidate: OpenTask?) {
        events.send(.hinted(attempt, candidate: candidate))
    }
}
