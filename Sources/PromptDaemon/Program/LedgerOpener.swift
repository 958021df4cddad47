import Concurrency
import JobStore
import Logging
import PromptQueue

/// Opens the ledger that the configuration names: the one place that knows of which kind it is.
struct LedgerOpener: Sendable {
    let database: String
    let environment: [String: String]
    let notifier: SystemdNotifier
    let metrics: DaemonMetrics
    let logger: Logger

    /// - Throws: `LedgerError` that says what keeps promptd from writing beside a database.
    static func checkDirectory(of database: String) throws(LedgerError) { try LedgerFile.checkDirectory(of: database) }

    /// Before everything else: what is found at the start is nobody else's then.
    ///
    /// - Throws: `LedgerHeld`, or `LedgerError` when it cannot be locked.
    func lock() throws -> any LedgerLock {
        try Self.checkDirectory(of: database)
        return try OwnerLock(database: database)
    }

    func outcomes() throws(LedgerError) -> any OutcomeStore { try OutcomeFile(database: database) }

    func steps() throws(LedgerError) -> any StepJournal { try StepMarks(database: database) }

    /// For the pages, of a ledger that is open already: they read beside the daemon, and cannot write.
    static func pages(of database: String) throws(LedgerError) -> [any PageReader] {
        [try QueueFile(readingAt: database), try QueueFile(readingAt: database)]
    }

    /// As a command opens it, for what the pages change.
    static func client(of database: String) throws(LedgerError) -> any QueueClient { try QueueFile(path: database) }

    /// The ledger may have to be migrated first: systemd is asked for patience meanwhile, and the log told.
    func open() async throws -> any LedgerStore {
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
