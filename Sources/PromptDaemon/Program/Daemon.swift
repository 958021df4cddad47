import Concurrency
import FoundationEssentials
import Glibc
import Hummingbird
import JobStore
import KieAPI
import Logging
import MediaStore
import PromptQueue
import PromptWeb
import ServiceLifecycle
import UnixSignals

/// The whole daemon, put together.
struct Daemon {
    private let configuration: DaemonConfiguration
    private let environment: [String: String]
    private let logger: Logger
    private let notifier: SystemdNotifier
    private let live: LiveSettings
    /// The configuration file that was asked for, to be reloaded.
    private let file: String?

    init(_ configuration: DaemonConfiguration, file: String?, environment: [String: String]) {
        self.file = file
        self.configuration = configuration
        self.environment = environment
        notifier = SystemdNotifier(environment: environment)
        var format = configuration.logFormat
        if format == .automatic { format = environment["JOURNAL_STREAM"] != nil ? .journal : .text }
        let live = LiveSettings(configuration)
        self.live = live
        let handler = DaemonLogHandler(format: format) { live.logLevel }
        logger = Logger(label: "promptd") { _ in handler }
    }

    /// Runs until a signal ends it.
    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let descriptors = DescriptorLimit.raise()
        if descriptors < DescriptorLimit.needed {
            logger.warning(
                "few files may be open at once: set LimitNOFILE= of the unit, or ulimit -Hn, to \(DescriptorLimit.needed)",
                metadata: ["limit": "\(descriptors)"]
            )
        }
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] where environment[name]?.isEmpty == false {
            logger.warning("\(name) is set and is not used: promptd connects to the provider itself")
        }
        let key = try Credentials.apiKey(file: configuration.apiKeyFile, environment: environment)
        let time = SystemTime()
        let callbacks = try Callbacks(configuration, environment: environment, time: time, logger: logger)
        let lock = try lockDatabase()
        let media = try MediaDirectory(path: configuration.media)
        do throws(MediaError) {
            try MediaDirectory.tryOut(media.path)
        } catch {
            // What runs is asked about all the same; what cannot be kept closes the gate `disk`, and is waited for.
            logger.warning("results cannot be kept now: \(error)", metadata: ["path": "\(media.path)"])
        }
        if !media.syncsDirectories {
            logger.warning(
                "the file system of the media directory cannot sync a directory: a power failure may take the names of files",
                metadata: ["path": "\(media.path)"]
            )
        }
        let opener = LedgerOpener(
            database: configuration.database,
            environment: environment,
            notifier: notifier,
            logger: logger
        )
        let ledger = try await opener.open()
        let mediaOwner = try MediaOwner(media: media.path, databaseID: ledger.databaseID)
        let outcomes = try OutcomeFile(database: configuration.database)
        let marks = try StepMarks(database: configuration.database)
        let settings = KieSettings(baseURL: configuration.providerBaseURL)
        let client = KieClient(settings, key: key)
        let mediaClient = MediaClient(userAgent: settings.userAgent)
        var failure: (any Error)?
        do {
            let steps = try await StepWatch.start(marks, store: ledger, now: time.now.instant, logger)
            try await serve(ledger, outcomes, steps, media, client, mediaClient, callbacks, time)
        } catch {
            failure = error
        }
        // Whatever happened: AsyncHTTPClient ends the process if it is released without that.
        do { try await client.shutdown() } catch { logger.debug("the provider's client: \(error)") }
        await mediaClient.shutdown()
        do { try ledger.close() } catch { failure = failure ?? error }
        marks.remove()
        withExtendedLifetime((lock, mediaOwner)) {}
        if let failure { throw failure }
        logger.notice("promptd has stopped; everything is recorded")
    }

    /// Works on the queue until a signal ends it, and leaves the ledger in order.
    private func serve(
        _ ledger: any LedgerStore,
        _ outcomes: OutcomeFile,
        _ steps: StepWatch,
        _ media: MediaDirectory,
        _ client: KieClient,
        _ mediaClient: MediaClient,
        _ callbacks: Callbacks?,
        _ time: SystemTime
    ) async throws {
        let engineSettings = EngineSettings(configuration)
        try await ledger.begin(
            DaemonIdentity(
                processID: getpid(),
                version: Version.current,
                rate: engineSettings.rate,
                runningLimit: engineSettings.running,
                rules: engineSettings.account
            ),
            now: time.now.instant
        )
        try await KeptOutcomes.takeUp(outcomes, into: ledger, now: time.now.instant, logger)
        try await ledger.setPrices(configuration.prices, defaultPrice: configuration.defaultPrice)
        let start = Latch()
        let prepare: @Sendable (QueuedJob) -> Preparation = { [live] job in
            job.prepared(unknownModels: live.unknownModels)
        }
        let runner = Runner(
            ledger: ledger,
            provider: KieProvider(
                client: client,
                keySource: KeySource { [live, environment] in
                    try Credentials.apiKey(file: live.apiKeyFile, environment: environment)
                },
                callbackURL: configuration.callbacksPublicURL
            ),
            fetcher: MediaFetcher(
                media: media,
                client: mediaClient,
                provider: client,
                policy: URLPolicy(allowsLoopback: configuration.allowsPrivateMedia),
                sidecars: Sidecars(
                    media: media,
                    source: ledger,
                    isEnabled: { [live] in live.sidecars },
                    now: { time.now.instant },
                    logger: logger
                ),
                uptime: { time.now.uptime }
            ),
            prepare: prepare,
            settings: engineSettings,
            seed: UInt64.random(in: 0...UInt64.max),
            grace: configuration.shutdownGrace,
            time: time,
            journal: outcomes,
            steps: steps,
            start: start,
            logger: logger,
            onStarted: { [notifier, logger, configuration] recovery in
                do throws(MediaError) {
                    try media.removeLeftovers(except: recovery.downloads.map(\.result))
                } catch {
                    logger.warning("half-written files of earlier results could not be removed: \(error)")
                }
                logger.notice(
                    "promptd \(Version.current) is running",
                    metadata: [
                        "database": "\(configuration.database)", "media": "\(configuration.media)",
                        "provider": "\(configuration.providerBaseURL)", "rate": "\(configuration.rate)",
                        "pid": "\(getpid())",
                    ]
                )
                notifier.send("READY=1\nSTATUS=running")
            }
        )
        var quiet = logger
        quiet.logLevel = .warning
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
        let listeners = CountdownLatch(
            [configuration.webListen != nil, callbacks != nil].count { $0 },
            done: start.open
        )
        if let listen = configuration.webListen {
            services.append(.beside(web(listen, ledger, runner, callbacks?.tally, quiet, onListening: listeners.step)))
        }
        if let callbacks {
            services.append(
                .beside(callbacks.service(ledger, runner, time, quiet: quiet, onListening: listeners.step))
            )
        }
        let group = ServiceGroup(
            configuration: .init(
                services: services + [
                    .beside(Housekeeping(ledger: ledger, notifier: notifier, time: time, logger: logger)),
                    .beside(FileGuard(ledger: ledger, time: time)),
                    .beside(PriceWatch(prices: ledger, time: time, logger: logger)),
                    .beside(
                        ChangeWatcher(
                            ledger: ledger,
                            runner: runner,
                            time: time,
                            logger: logger
                        )
                    ),
                    .init(service: runner),
                ],
                logger: quiet
            )
        )
        let failure = await run(group) { await reload(client, runner, ledger, callbacks) }
        if ledger.loss != nil { await tellUnderWay(ledger) }
        do {
            try await ledger.end(now: time.now.instant)
            try await ledger.maintain()
        } catch {
            throw failure ?? error
        }
        if let failure { throw failure }
        // What was kept beside the ledger stays for the next start, which records it once more: it may hold an outcome
        // that the ledger refused.
    }

    /// Puts into the log what the ledger alone knows, while it can still be read.
    private func tellUnderWay(_ ledger: any LedgerStore) async {
        do {
            for attempt in try await ledger.underWay() {
                logger.error(
                    "under way when the database was lost",
                    metadata: [
                        "job.id": "\(attempt.job)", "attempt.id": "\(attempt.attempt)",
                        "task.id": "\(attempt.task.map { "\($0)" } ?? "not known")",
                    ]
                )
            }
        } catch {
            logger.error("what was under way cannot be read any more: \(error)")
        }
    }

    /// Runs the services and listens to signals meanwhile.
    private func run(_ group: ServiceGroup, reload: @escaping @Sendable () async -> Void) async -> (any Error)? {
        // Trapped before anybody is told that promptd runs: a stop that follows at once must not kill it.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        return await withTaskGroup(of: (any Error)?.self) { tasks in
            tasks.addTask {
                do {
                    try await group.run()
                    return nil
                } catch {
                    return error
                }
            }
            tasks.addTask { [logger, notifier] in
                var isStopping = false
                for await signal in signals {
                    switch signal {
                    case .sighup:
                        notifier.send("RELOADING=1\nMONOTONIC_USEC=\(SystemTime.monotonicMicroseconds())")
                        await reload()
                        notifier.send("READY=1")
                    default:
                        guard !isStopping else {
                            logger.warning("ended at once by a second signal; the next start puts things in order")
                            _exit(75)
                        }
                        isStopping = true
                        notifier.send("STOPPING=1")
                        await group.triggerGracefulShutdown()
                    }
                }
                return nil
            }
            let failure = await tasks.next() ?? nil
            tasks.cancelAll()
            return failure
        }
    }

    /// Reloads configuration and key. What cannot be read leaves everything as it was.
    private func reload(
        _ client: KieClient,
        _ runner: Runner,
        _ prices: any PriceStore,
        _ callbacks: Callbacks?
    ) async {
        do {
            let new = try await ConfigurationLoader.load(file: file, environment: environment)
            let key = try Credentials.apiKey(file: new.apiKeyFile, environment: environment)
            try await prices.setPrices(new.prices, defaultPrice: new.defaultPrice)
            try callbacks?.reload(new, environment: environment)
            client.replaceKey(key)
            let waiting = live.replace(with: new)
            runner.reloaded(EngineSettings(new))
            logger.notice("configuration and API key reloaded", metadata: ["rate": "\(new.rate)"])
            if !waiting.isEmpty {
                logger.warning("changed, but only after a restart: \(waiting.joined(separator: ", "))")
            }
        } catch {
            logger.error("nothing was reloaded, everything stays as it was: \(error)")
        }
    }

    private func web(
        _ listen: ListenAddress,
        _ ledger: any LedgerStore,
        _ runner: Runner,
        _ callbacks: CallbackCounter?,
        _ quiet: Logger,
        onListening: @escaping @Sendable () -> Void
    ) -> WebService {
        WebService(
            address: listen,
            application: WebServer.application(
                host: listen.host,
                port: listen.port,
                source: ledger,
                isRunning: { runner.isRunning },
                callbacks: callbacks,
                connections: DescriptorLimit.connections(of: DescriptorLimit.raise()),
                logger: quiet,
                onListening: { [logger] port in
                    onListening()
                    logger.info(
                        "health and metrics",
                        metadata: ["url": "http://\(ListenAddress(host: listen.host, port: port))"]
                    )
                }
            )
        )
    }

    private func lockDatabase() throws -> OwnerLock {
        try LedgerFile.checkDirectory(of: configuration.database)
        return try OwnerLock(database: configuration.database)
    }
}

extension EngineSettings {
    init(_ configuration: DaemonConfiguration) {
        self.init()
        rate = configuration.rate
        running = configuration.running
        pollsPerSecond = configuration.pollsPerSecond
        downloadsEnabled = configuration.downloadsEnabled
        callbacksEnabled = configuration.callbacksPublicURL != nil
        account.creditReserve = configuration.creditsReserve
        account.unconfirmedPolicy = configuration.unconfirmedPolicy
        account.unconfirmedWindow = configuration.unconfirmedWindow
    }
}

extension ServiceGroupConfiguration.ServiceConfiguration {
    /// A service whose failure ends the daemon in order: requests under way may still be answered and recorded.
    fileprivate static func beside(_ service: any Service) -> Self {
        .init(service: service, failureTerminationBehavior: .gracefullyShutdownGroup)
    }
}
