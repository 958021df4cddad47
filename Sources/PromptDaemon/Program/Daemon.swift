import Concurrency
import FoundationEssentials
import Glibc
import Hummingbird
import KieAPI
import Logging
import MediaStore
import PromptConfiguration
import PromptQueue
import PromptWeb
import ServiceLifecycle
import UnixSignals

/// The whole daemon, put together.
struct Daemon {
    let configuration: DaemonConfiguration
    let environment: [String: String]
    let logger: Logger
    let notifier: SystemdNotifier
    let live: LiveSettings
    let time = SystemTime()
    let webAccess: WebAccess
    let writeLogRests: @Sendable () -> Void
    let registry: PrometheusRegistry
    let metrics: DaemonMetrics
    /// The configuration file that was asked for, to be reloaded.
    private let file: String?

    init(_ configuration: DaemonConfiguration, file: String?, environment: [String: String]) {
        self.file = file
        registry = PrometheusRegistry(DaemonMetrics.families)
        metrics = DaemonMetrics(registry)
        self.configuration = configuration
        self.environment = environment
        webAccess = WebAccess { [time] in time.now.instant }
        notifier = SystemdNotifier(environment: environment)
        var format = configuration.logFormat
        let toJournal = JournalSocket.takesStandardError(environment)
        if format == .automatic { format = toJournal ? .journal : .text }
        let journal = format == .journal && toJournal ? JournalSocket() : nil
        let live = LiveSettings(configuration)
        self.live = live
        let folder = LogFolder { [time] in time.now.uptime }
        let handler = DaemonLogHandler(format: format, journal: journal, folder: folder) { live.logLevel }
        logger = Logger(label: "promptd") { _ in handler }
        writeLogRests = handler.writeRests
    }

    /// Runs until a signal ends it.
    func run() async throws {
        prepareProcess()
        let key = try Credentials.apiKey(file: configuration.apiKeyFile, environment: environment)
        let accountKeys = try Credentials.accountKeys(
            configuration.accounts,
            beside: key,
            environment: environment
        )
        let callbacks = try Callbacks(configuration, environment: environment, time: time, logger: logger)
        try Credentials.checkHooks(configuration.hooks, environment: environment)
        let token = try Credentials.webToken(configuration, environment: environment)
        webAccess.replace(token: token?.value, readsNeedToken: configuration.webReadWithToken)
        warnOfOpenToken(configuration)
        let parts = try await open(key, accountKeys)
        var failure: (any Error)?
        do {
            let steps = try await StepWatch.start(parts.marks, store: parts.ledger, now: time.now.instant, logger)
            try await serve(parts, steps, callbacks)
        } catch {
            failure = error
        }
        do { try await close(parts) } catch { failure = failure ?? error }
        if let failure { throw failure }
        logger.notice("promptd has stopped; everything is recorded")
    }

    private func warnOfOpenToken(_ configuration: DaemonConfiguration) {
        guard let file = Credentials.openTokenFile(configuration) else { return }
        logger.warning(
            "every user of this machine can read the token of the pages, and spend with it; take that right from them",
            metadata: ["file": "\(file)", "fix": "chmod o= \(file)"]
        )
    }

    // MARK: - What stands before anything is sent, and falls after everything is recorded

    /// All that is opened before the first request and closed after the last.
    struct Parts {
        let lock: any LedgerLock
        let media: MediaDirectory
        let mediaOwner: MediaOwner
        let ledger: any LedgerStore
        let outcomes: any OutcomeStore
        let marks: any StepJournal
        /// The standard account's, which is also asked what belongs to none.
        let client: KieClient
        /// Those of the other accounts.
        let accountClients: [AccountName: KieClient]
        let mediaClient: MediaClient
        let webhookClient: WebhookClient
        let uploadClient: UploadClient
        /// What the pages show; nil if there are none.
        let pages: PageSource?
    }

    private func prepareProcess() {
        signal(SIGPIPE, SIG_IGN)
        let descriptors = DescriptorLimit.raise()
        if descriptors < DescriptorLimit.needed {
            logger.warning(
                "few files may be open at once: raise LimitNOFILE= of the unit, or ulimit -Hn",
                metadata: ["limit": "\(descriptors)", "needed": "\(DescriptorLimit.needed)"]
            )
        }
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] where environment[name]?.isEmpty == false {
            logger.warning(
                "a proxy is set and is not used: promptd connects to the provider itself",
                metadata: ["variable": "\(name)"]
            )
        }
    }

    private func open(_ key: Secret, _ accountKeys: [AccountName: Secret]) async throws -> Parts {
        let opener = LedgerOpener(
            place: DatabasePlace(configuration.database),
            files: LedgerOpener.files(configuration, environment),
            environment: environment,
            notifier: notifier,
            metrics: metrics,
            logger: logger
        )
        let lock = try opener.lock()
        try MediaDirectory.check(configuration.media)
        let ledger = try await opener.open()
        let media = try openMedia(ledger.memberNumber)
        let mediaOwner = try MediaOwner(
            media: media.path,
            databaseID: ledger.databaseID,
            isShared: ledger.memberNumber != nil
        )
        let outcomes = try opener.outcomes()
        let marks = try opener.steps()
        let settings = KieSettings(baseURL: configuration.providerBaseURL)
        return Parts(
            lock: lock,
            media: media,
            mediaOwner: mediaOwner,
            ledger: ledger,
            outcomes: outcomes,
            marks: marks,
            client: KieClient(settings, key: key),
            accountClients: accountKeys.mapValues { KieClient(settings, key: $0) },
            mediaClient: MediaClient(userAgent: settings.userAgent),
            webhookClient: WebhookClient(userAgent: settings.userAgent),
            uploadClient: UploadClient(KieSettings(baseURL: configuration.uploadBaseURL), key: key),
            pages: try configuration.webListen.map { _ in
                try PageSource(LedgerOpener.pages(of: opener.place, environment))
            }
        )
    }

    private func openMedia(_ member: Int64?) throws -> MediaDirectory {
        let media = try MediaDirectory(path: configuration.media, member: member)
        do throws(MediaError) {
            try MediaDirectory.tryOut(media.path)
        } catch {
            // What runs is asked about all the same; what cannot be kept closes the gate `disk`, and is waited for.
            logger.warning(
                "results cannot be kept now",
                metadata: ["path": "\(media.path)", "reason": "\(error)"]
            )
        }
        if !media.syncsDirectories {
            logger.warning(
                "the file system of the media directory cannot sync a directory: a power failure may take the names of files",
                metadata: ["path": "\(media.path)"]
            )
        }
        return media
    }

    private func close(_ parts: Parts) async throws {
        // Whatever happened: AsyncHTTPClient ends the process if it is released without that.
        for client in [parts.client] + parts.accountClients.values {
            do { try await client.shutdown() } catch {
                logger.debug("the provider's client did not close", metadata: ["reason": "\(error)"])
            }
        }
        do { try await parts.uploadClient.shutdown() } catch {
            logger.debug("the upload host's client did not close", metadata: ["reason": "\(error)"])
        }
        await parts.mediaClient.shutdown()
        await parts.webhookClient.shutdown()
        defer { parts.marks.remove() }
        // Before the ledger: the last connection to close leaves the database tidy, and these cannot write.
        try parts.pages?.close()
        try await parts.ledger.close()
        withExtendedLifetime(parts) {}
    }

    // MARK: - At work

    /// Works on the queue until a signal ends it, and leaves the ledger in order.
    private func serve(_ parts: Parts, _ steps: StepWatch, _ callbacks: Callbacks?) async throws {
        let ledger = parts.ledger
        let engines = EngineSettings.all(configuration)
        try await checkAccounts(ledger, engines.map(\.key))
        let limits = engines.map { account, settings in
            AccountLimits(
                name: account,
                rate: settings.rate,
                runningLimit: settings.running,
                rules: settings.account
            )
        }
        try await ledger.begin(
            DaemonIdentity(processID: getpid(), version: Version.current, accounts: limits),
            now: time.now.instant
        )
        // What several daemons share says nothing of one of them.
        let marks = [ledger.requestMark] + (ledger.memberNumber == nil ? [parts.media.requestMark] : [])
        let age = try await ledger.checkAge(marks: marks, now: time.now.instant)
        for problem in age.problems {
            logger.error(
                "the number of the last request cannot be noted outside the database",
                metadata: ["reason": "\(problem)"]
            )
        }
        if let copy = age.copy {
            logger.error(
                "nothing is submitted: requests may be missing in the database",
                metadata: [
                    "gate": "\(BlockReason.restored.rawValue)", "reason": "\(copy.text)",
                    "remedy": "\(Advice.lookAtRestored)",
                ]
            )
        }
        try await KeptOutcomes.takeUp(parts.outcomes, into: ledger, now: time.now.instant, logger)
        try await ledger.setPrices(configuration.prices, defaultPrice: configuration.defaultPrice)
        let starts = engines.mapValues { _ in Latch() }
        let gathering = StartGathering(of: engines.count) { recoveries in
            started(parts.media, recoveries, keepsLeftovers: age.copy != nil)
        }
        // With one account nobody is told anything.
        let neighbours = engines.count > 1 ? Neighbours() : nil
        let runners = Runners(
            all: Dictionary(
                uniqueKeysWithValues: engines.map { account, settings in
                    let start = starts[account] ?? Latch()
                    return (account, runner(account, parts, settings, steps, start, gathering, neighbours))
                }
            ),
            gathering: gathering
        )
        let group = try services(parts, runners, callbacks) { for start in starts.values { start.open() } }
        let failure = await run(group) { await reload(parts, runners, callbacks) }
        if case .files = ledger.loss { await tellUnderWay(ledger) }
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

    /// What was sent under an account can be asked about with its key alone.
    private func checkAccounts(_ ledger: any LedgerStore, _ names: [AccountName]) async throws {
        let missing = try await ledger.accountsUnderWay().filter { !names.contains($0.key) }
        guard let (account, jobs) = missing.min(by: { $0.key < $1.key }) else { return }
        throw ConfigurationError(
            "accounts.\(account): is not in the configuration any more, but \(jobs) of its jobs \(jobs == 1 ? "is" : "are") "
                + "not ended: put it back until they are, so that what is paid for is fetched; \(Advice.listUnderWay)"
        )
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
            logger.error("what was under way cannot be read any more", metadata: ["reason": "\(error)"])
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
        _ parts: Parts,
        _ runners: Runners,
        _ callbacks: Callbacks?
    ) async {
        do {
            let new = try await ConfigurationLoader.load(file: file, environment: environment)
            let key = try Credentials.apiKey(file: new.apiKeyFile, environment: environment)
            let token = try Credentials.webToken(new, environment: environment)
            // One that is new begins with the next start, and one that is gone keeps its key until then.
            let accountKeys = try Credentials.accountKeys(
                new.accounts.filter { parts.accountClients[$0.name] != nil },
                beside: key,
                environment: environment
            )
            try Credentials.checkHooks(new.hooks, environment: environment)
            try await parts.ledger.setPrices(new.prices, defaultPrice: new.defaultPrice)
            try callbacks?.reload(new, environment: environment)
            parts.client.replaceKey(key)
            parts.uploadClient.replaceKey(key)
            webAccess.replace(token: token?.value, readsNeedToken: new.webReadWithToken)
            warnOfOpenToken(new)
            for (account, key) in accountKeys { parts.accountClients[account]?.replaceKey(key) }
            let waiting = live.replace(with: new)
            runners.reloaded(EngineSettings.all(new))
            logger.notice("configuration and API key reloaded", metadata: ["rate": "\(new.rate)"])
            if !waiting.isEmpty {
                logger.warning(
                    "settings have changed that count only after a restart",
                    metadata: ["settings": "\(waiting.joined(separator: ", "))"]
                )
            }
        } catch {
            logger.error("nothing was reloaded, everything stays as it was", metadata: ["reason": "\(error)"])
        }
    }
}

extension EngineSettings {
    /// Those of each account's engine.
    static func all(_ configuration: DaemonConfiguration) -> [AccountName: EngineSettings] {
        var all = [AccountName.standard: EngineSettings(configuration)]
        for account in configuration.accounts {
            var settings = EngineSettings(configuration)
            settings.rate = account.rate
            settings.running = account.running
            settings.pollsPerSecond = account.pollsPerSecond
            settings.account.creditReserve = account.creditsReserve
            all[account.name] = settings
        }
        return all
    }

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
