import Concurrency
import FoundationEssentials
import Glibc
import KieAPI
import Logging
import MediaStore
import PromptConfiguration
import PromptQueue
import PromptWeb
import ServiceLifecycle

// What runs side by side while the daemon works.
extension Daemon {
    /// What carries out the decisions of an account's engine.
    ///
    /// - Parameters:
    ///   - start: opened when everything else stands.
    ///   - gathering: where it meets the others.
    func runner(
        _ account: AccountName,
        _ parts: Parts,
        _ settings: EngineSettings,
        _ steps: StepWatch,
        _ start: Latch,
        _ gathering: StartGathering,
        _ neighbours: Neighbours?
    ) -> Runner {
        let client = parts.accountClients[account] ?? parts.client
        var logger = logger
        if account != .standard { logger[metadataKey: "account"] = "\(account)" }
        var tellOthers: (@Sendable (Bool) -> Void)?
        if let neighbours { tellOthers = { mayBeDue in neighbours.tell(mayBeDue, by: account) } }
        let runner = Runner(
            ledger: parts.ledger.ledger(of: account),
            provider: KieProvider(
                client: client,
                keySource: keySource(of: account),
                callbackURL: configuration.callbacksPublicURL
            ),
            fetcher: fetcher(parts, client),
            prepare: { [live, ledger = parts.ledger] job in
                job.prepared(by: ledger.catalogue, unknownModels: live.unknownModels)
            },
            settings: settings,
            seed: UInt64.random(in: 0...UInt64.max),
            grace: configuration.shutdownGrace,
            time: time,
            journal: parts.outcomes,
            steps: steps,
            metrics: metrics.of(account),
            start: start,
            logger: logger,
            tellOthers: tellOthers,
            onStarted: { await gathering.arrive($0) }
        )
        neighbours?.join(account, runner.events)
        return runner
    }

    /// Where an account's key comes from after it was refused.
    private func keySource(of account: AccountName) -> KeySource {
        KeySource { [live, environment] in
            let key = try live.key(of: account, environment: environment)
            // A key that somebody has put into the wrong place is another account's.
            for other in [AccountName.standard] + live.accounts where other != account {
                let theirs = try? live.key(of: other, environment: environment)
                guard theirs?.value != key.value else {
                    throw ConfigurationError("the API key of the account \(account) is that of \(other)")
                }
            }
            return key
        }
    }

    private func fetcher(_ parts: Parts, _ client: KieClient) -> MediaFetcher {
        MediaFetcher(
            media: parts.media,
            client: parts.mediaClient,
            provider: client,
            policy: URLPolicy(allowsLoopback: configuration.allowsPrivateMedia),
            sidecars: Sidecars(
                media: parts.media,
                source: parts.ledger,
                isEnabled: { [live] in live.sidecars },
                now: { [time] in time.now.instant },
                logger: logger
            ),
            naming: ResultNaming(template: { [live] in live.names }, source: parts.ledger),
            uptime: { [time] in time.now.uptime }
        )
    }

    /// The ledger is in order, and the first claim may follow.
    ///
    /// - Parameter keepsLeftovers: whether half-written files stay: of an older copy they may be all that is left of a paid result.
    func started(_ media: MediaDirectory, _ recoveries: [Recovery], keepsLeftovers: Bool) {
        do throws(MediaError) {
            if !keepsLeftovers { try media.removeLeftovers(except: recoveries.flatMap(\.downloads).map(\.result)) }
        } catch {
            logger.warning(
                "half-written files of earlier results could not be removed",
                metadata: ["reason": "\(error)"]
            )
        }
        logger.notice(
            "promptd is running",
            metadata: [
                "version": "\(Version.current)",
                "database": "\(DatabasePlace(configuration.database))", "media": "\(configuration.media)",
                "provider": "\(configuration.providerBaseURL)", "rate": "\(configuration.rate)",
                "pid": "\(getpid())",
            ]
        )
        notifier.send("READY=1\nSTATUS=running")
    }

    /// The runners and all that runs beside them.
    ///
    /// - Parameter onListening: called when every listener listens.
    func services(
        _ parts: Parts,
        _ runners: Runners,
        _ callbacks: Callbacks?,
        onListening: @escaping @Sendable () -> Void
    ) throws -> ServiceGroup {
        let (ledger, client, media) = (parts.ledger, parts.client, parts.media)
        var quiet = logger
        quiet.logLevel = .warning
        let listeners = CountdownLatch(
            [configuration.webListen != nil, callbacks != nil].count { $0 },
            done: onListening
        )
        var beside: [any Service] = []
        if let listen = configuration.webListen {
            let dashboard = try parts.pages.map { try self.dashboard(listen, $0, parts) }
            if let dashboard { beside.append(ThumbnailKeeper(dashboard: dashboard, time: time, logger: logger)) }
            beside.append(
                web(listen, ledger, media, runners, callbacks?.counter, dashboard, quiet, onListening: listeners.step)
            )
        }
        if let callbacks {
            beside.append(callbacks.service(ledger, runners, time, quiet: quiet, onListening: listeners.step))
        }
        beside += [
            Housekeeping(
                ledger: ledger,
                runners: runners,
                notifier: notifier,
                time: time,
                logger: logger,
                closedGates: { [metrics] in metrics.closedGates },
                writeLogRests: writeLogRests
            ),
            RetentionKeeper(
                ledger: ledger,
                media: media,
                rule: { [live] in live.retention },
                clock: ClockCheck(time: time, logger: logger) { await client.askServerTime() },
                time: time,
                logger: logger
            ),
            LossGuard(ledger: ledger, time: time),
            SearchKeeper(store: ledger, time: time, logger: logger),
            PriceWatch(prices: ledger, time: time, logger: logger),
            CatalogueKeeper(
                ledger: ledger,
                source: client,
                interval: { [live] in live.catalogueRefresh },
                time: time,
                logger: logger
            ),
            ScheduleKeeper(
                ledger: ledger,
                zones: { TimeZoneFiles.clock($0) },
                unknownModels: { [live] in live.unknownModels },
                clock: ClockCheck(time: time, logger: logger, waits: .schedules) { await client.askServerTime() },
                onAdded: { try await runners.ledgerChanged() },
                time: time,
                logger: logger
            ),
            hooks(parts),
            uploads(parts, runners),
            ChangeWatcher(ledger: ledger, runners: runners, time: time, logger: logger),
        ]
        // The failure of one ends the daemon in order: requests under way may still be answered and recorded.
        // Pages are finished, too: a server that is cut off in the middle of a response ends the process.
        let services = (beside + [runners]).map {
            ServiceGroupConfiguration.ServiceConfiguration(
                service: $0,
                failureTerminationBehavior: .gracefullyShutdownGroup
            )
        }
        return ServiceGroup(configuration: .init(services: services, logger: quiet))
    }

    private func hooks(_ parts: Parts) -> HookKeeper {
        HookKeeper(
            ledger: parts.ledger,
            hooks: { [live] in live.hooks },
            deliverer: HookSender(
                client: parts.webhookClient,
                database: "\(DatabasePlace(configuration.database))",
                secret: { [environment] name, file in
                    try Credentials.hookSecret(name, file: file, environment: environment)
                }
            ),
            metrics: metrics,
            time: time,
            seed: UInt64.random(in: 0...UInt64.max),
            logger: logger
        )
    }

    private func uploads(_ parts: Parts, _ runners: Runners) -> UploadKeeper {
        UploadKeeper(
            ledger: parts.ledger,
            uploader: KieUploader(
                client: parts.uploadClient,
                keySource: KeySource { [live, environment] in
                    try Credentials.apiKey(file: live.apiKeyFile, environment: environment)
                }
            ),
            files: UploadFiles(
                spool: Spool(of: DatabasePlace(configuration.database), media: configuration.media),
                media: configuration.media,
                roots: { [live] in live.uploadRoots }
            ),
            metrics: metrics,
            onUploaded: { try await runners.ledgerChanged() },
            time: time,
            logger: logger
        )
    }

    private func dashboard(
        _ listen: ListenAddress,
        _ pages: PageSource,
        _ parts: Parts
    ) throws -> Dashboard {
        try Dashboard(
            source: pages,
            media: parts.media.path,
            databaseID: parts.ledger.databaseID,
            processID: getpid(),
            isLocal: WebServer.isLocal(listen.host),
            thumbnailer: VipsThumbnailer { [live] in live.thumbnails == .automatic },
            logger: logger,
            changes: WebChanges(
                access: webAccess,
                unknownModels: { [live] in live.unknownModels },
                creditPrice: { [live] in live.creditPrice },
                askTask: { [client = parts.client, others = parts.accountClients] task, account in
                    await (others[account] ?? client).recordInfo(task).outcome
                },
                open: { [place = DatabasePlace(configuration.database), environment] in
                    try LedgerOpener.client(of: place, environment)
                }
            ),
            now: { [time] in time.now.instant }
        )
    }

    /// On the caller's executor.
    private static nonisolated func available(_ media: MediaDirectory) async -> Int64? { media.availableBytes() }

    private func web(
        _ listen: ListenAddress,
        _ ledger: any LedgerStore,
        _ media: MediaDirectory,
        _ runners: Runners,
        _ callbacks: CallbackCounter?,
        _ dashboard: Dashboard?,
        _ quiet: Logger,
        onListening: @escaping @Sendable () -> Void
    ) -> WebService {
        let roster = ConnectionRoster(limit: DescriptorLimit.connections(of: DescriptorLimit.raise()))
        return WebService(
            address: listen,
            roster: roster,
            application: WebServer.application(
                host: listen.host,
                port: listen.port,
                source: ledger,
                isRunning: {
                    guard runners.isRunning else { return false }
                    do {
                        try await withDeadline(.seconds(1), clock: .continuous) { await runners.progress() }
                        return runners.isRunning
                    } catch {
                        return false
                    }
                },
                callbacks: callbacks,
                metrics: registry,
                process: { [metrics] in
                    // A file system that hangs must not hold up what else runs.
                    let available = await withTaskExecutorPreference(BlockingExecutor()) { await Self.available(media) }
                    return ProcessFigures(closedGates: metrics.closedGates, mediaAvailableBytes: available)
                },
                dashboard: dashboard,
                roster: roster,
                logger: quiet,
                onListening: { [logger] port in
                    onListening()
                    logger.info(
                        "pages, health and metrics",
                        metadata: ["url": "http://\(ListenAddress(host: listen.host, port: port))"]
                    )
                }
            )
        )
    }
}
