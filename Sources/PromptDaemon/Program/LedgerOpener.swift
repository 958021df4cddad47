import Concurrency
import FoundationEssentials
import JobStore
import Logging
import PostgresStore
import PromptConfiguration
import PromptQueue
import StateFiles

/// Opens the ledger that the configuration names: the one place that knows of which kind it is.
struct LedgerOpener: Sendable {
    let place: DatabasePlace
    /// What the names of this daemon's own files begin with.
    let files: String
    let environment: [String: String]
    let notifier: SystemdNotifier
    let metrics: DaemonMetrics
    let logger: Logger

    /// What the names of a daemon's own files begin with: they lie beside a database's file; of one on a server, in `stateDirectory`,
    /// else in what systemd gives to the unit.
    static func files(_ configuration: DaemonConfiguration, _ environment: [String: String]) -> String {
        if let path = DatabasePlace(configuration.database).path { return path }
        let isNamed = configuration.stateDirectory != DaemonConfiguration().stateDirectory
        // Several are separated by colons (systemd.exec(5)).
        let given = isNamed ? nil : environment["STATE_DIRECTORY"]?.split(separator: ":").first
        return "\(given.map(String.init) ?? configuration.stateDirectory)/postgresql"
    }

    /// - Throws: `LedgerError` that says what keeps promptd from writing its files.
    static func checkDirectory(
        _ configuration: DaemonConfiguration,
        _ environment: [String: String]
    ) throws(LedgerError) {
        try LedgerFile.checkDirectory(of: files(configuration, environment))
    }

    /// Before everything else: what is found at the start is nobody else's then.
    ///
    /// - Throws: `LedgerHeld`, or `LedgerError` when it cannot be locked.
    func lock() throws -> any LedgerLock {
        try LedgerFile.checkDirectory(of: files)
        do {
            return try OwnerLock(database: files)
        } catch var held as LedgerHeld {
            if place.path == nil { held.place = "in this stateDirectory" }
            throw held
        }
    }

    func outcomes() throws(LedgerError) -> any OutcomeStore { try OutcomeFile(database: files) }

    func steps() throws(LedgerError) -> any StepJournal { try StepMarks(database: files) }

    /// For the pages, of a ledger that is open already: they read beside the daemon, and cannot write.
    static func pages(
        of place: DatabasePlace,
        _ environment: [String: String]
    ) throws(LedgerError) -> [any PageReader] {
        let passwords = passwordFile(environment)
        switch place {
        case .file(let path): return [try QueueFile(readingAt: path), try QueueFile(readingAt: path)]
        case .postgres(let address):
            return [
                try PostgresQueue(pages: address, passwordFile: passwords),
                try PostgresQueue(pages: address, passwordFile: passwords),
            ]
        }
    }

    /// As a command opens it, for what the pages change.
    static func client(
        of place: DatabasePlace,
        _ environment: [String: String]
    ) throws(LedgerError) -> any QueueClient {
        switch place {
        case .file(let path): try QueueFile(path: path)
        case .postgres(let address): try PostgresQueue(changes: address, passwordFile: passwordFile(environment))
        }
    }

    /// The passwords of servers, where systemd hands them over (`LoadCredential=pgpass:…`).
    private static func passwordFile(_ environment: [String: String]) -> String? {
        guard let directory = environment["CREDENTIALS_DIRECTORY"] else { return nil }
        let path = directory + "/pgpass"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    func open() async throws -> any LedgerStore {
        switch place {
        case .file(let path): try await open(path)
        case .postgres(let address): try await join(address)
        }
    }

    /// A server that is away comes back, or another takes its place: that is waited for.
    private func join(_ address: String) async throws -> any LedgerStore {
        let clock = ContinuousClock()
        while true {
            do throws(LedgerError) {
                return try await PostgresLedger(
                    address: address,
                    passwordFile: Self.passwordFile(environment),
                    options: shared
                )
            } catch {
                guard error.isTransient else { throw error }
                logger.warning(
                    "the database cannot be reached; trying again until it can",
                    metadata: ["database": "\(place)", "reason": "\(error)"]
                )
                notifier.send(
                    "EXTEND_TIMEOUT_USEC=\(MigrationPatience.microseconds)\nSTATUS=waiting for the database"
                )
                try await clock.sleep(for: .seconds(3))
            }
        }
    }

    private var shared: PostgresLedger.Options {
        var options = PostgresLedger.Options()
        options.name = HostName.current
        options.host = HostName.current
        options.requestMark = files + "-requests"
        if let seconds = environment["PROMPTD_TEST_LATE_ARRIVAL_SECONDS"].flatMap({ Int64($0) }) {
            options.lateArrival = .seconds(seconds)
        }
        // For tests that do not wait for a minute until a dead daemon's work is taken over.
        if let seconds = environment["PROMPTD_TEST_LEASE_SECONDS"].flatMap({ Int64($0) }) {
            options.lease = .seconds(seconds)
            options.grace = .seconds(seconds)
            options.renewal = .milliseconds(seconds * 100)
        }
        options.onCommit = { [metrics] in metrics.committed(in: $0) }
        options.onLeaseTrouble = { [logger] error in
            logger.warning(
                "the database could not be told that this promptd is alive",
                metadata: ["reason": "\(error)"]
            )
        }
        return options
    }

    /// The ledger may have to be migrated first: systemd is asked for patience meanwhile, and the log told.
    private func open(_ database: String) async throws -> any LedgerStore {
        var options = options
        let clock = ContinuousClock()
        let start = clock.now
        options.onMigration = { [logger, notifier] step in
            notifier.send(
                "EXTEND_TIMEOUT_USEC=\(MigrationPatience.microseconds)\nSTATUS=migrating the database: \(step)"
            )
            logger.notice(
                "migrating the database, which may take minutes if it is large",
                metadata: ["step": "\(step)"]
            )
        }
        let opening = options
        return try await withThrowingTaskGroup(of: SQLiteLedger?.self) { group in
            group.addTask { [notifier, logger] in
                while true {
                    try await clock.sleep(for: MigrationPatience.interval)
                    let seconds = Int((clock.now - start).seconds)
                    notifier.send("EXTEND_TIMEOUT_USEC=\(MigrationPatience.microseconds)")
                    logger.notice("the database is still being opened", metadata: ["after": "\(seconds) s"])
                }
            }
            // It blocks: not on the threads that run everything else.
            group.addTask(executorPreference: BlockingExecutor()) { [database] in
                try SQLiteLedger(path: database, options: opening)
            }
            defer { group.cancelAll() }
            while let ledger = try await group.next() { if let ledger { return ledger } }
            throw LedgerError(.other, "the database was not opened")
        }
    }

    private var options: SQLiteLedger.Options {
        var options = SQLiteLedger.Options()
        // For the benchmark that shows what grouping is worth.
        if environment["PROMPTD_TEST_GROUP_COMMIT"] == "off" { options.changesPerCommit = 1 }
        // For tests that lose hundreds of answers, with a provider that holds none back: none can wait for an hour.
        if let seconds = environment["PROMPTD_TEST_LATE_ARRIVAL_SECONDS"].flatMap({ Int64($0) }) {
            options.lateArrival = .seconds(seconds)
        }
        options.onCommit = { [metrics] in metrics.committed(in: $0) }
        options.onBusyCheckpoint = { [logger] in
            logger.warning(
                "the write-ahead log could not be cut short: another process is reading the database for long"
            )
        }
        return options
    }
}

/// How systemd is kept from ending a start that takes its time (sd_notify(3), EXTEND_TIMEOUT_USEC).
private enum MigrationPatience {
    static let interval: Duration = .seconds(10)
    static let microseconds = 120_000_000
}
