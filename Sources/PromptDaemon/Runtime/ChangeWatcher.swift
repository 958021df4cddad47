import JobStore
import Logging
import PromptQueue
import ServiceLifecycle

/// Notices what other processes commit to the ledger, within milliseconds, and costs nothing while nobody does.
struct ChangeWatcher: Service {
    let database: String
    let ledger: SQLiteLedger
    let runner: Runner
    let time: any TimeSource
    let logger: Logger

    func run() async throws {
        let (directory, name) = FilePathParts.split(database)
        var changes: AsyncStream<Void>?
        do {
            changes = try DirectoryWatch(directory: directory, names: [name, name + "-wal"]).changes
        } catch {
            logger.warning("new jobs are noticed within seconds only, because the kernel grants no watch: \(error)")
        }
        let pause: Duration = changes == nil ? .seconds(1) : .seconds(5)
        _ = try await ledger.hasForeignChanges()
        try await untilShutdown { [changes] in
            try await withThrowingDiscardingTaskGroup { group in
                if let changes {
                    group.addTask {
                        var own = ledger.transactions
                        for await _ in changes {
                            // Our own commits are written to the same file; after one, few looks are enough.
                            let isOwn = ledger.transactions != own
                            own = ledger.transactions
                            try await look(isOwn ? Self.fewDelays : Self.delays)
                        }
                    }
                }
                group.addTask {
                    // In case a notice is ever lost.
                    while !Task.isCancelled {
                        try await time.sleep(until: time.now.uptime + pause)
                        try await look([0])
                        // A change that was noticed while the database was locked.
                        do throws(LedgerError) {
                            try await runner.takeResumed()
                        } catch {
                            guard error.isTransient else { throw error }
                        }
                    }
                }
            }
        }
    }

    /// Milliseconds between looks. A frame of the log is written before its commit counts: that waits for the writer's
    /// sync, which takes from a fraction of a millisecond to tens of them.
    private static let delays: [Int64] = [0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 10]
    private static let fewDelays: [Int64] = [0, 3, 12]

    private func look(_ delays: [Int64]) async throws {
        var hasChanged = false
        for delay in delays {
            if delay > 0 { try await time.sleep(until: time.now.uptime + .milliseconds(delay)) }
            do throws(LedgerError) {
                if !hasChanged { hasChanged = try await ledger.hasForeignChanges() }
                guard hasChanged else { continue }
                try await runner.ledgerChanged()
                return
            } catch {
                guard error.isTransient else { throw error }
            }
        }
    }
}

/// A path's directory and last component.
enum FilePathParts {
    static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }
}
