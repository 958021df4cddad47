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
        let watch = try DirectoryWatch(directory: directory, names: [name, name + "-wal"])
        _ = try await ledger.hasForeignChanges()
        try await untilShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask {
                    for await _ in watch.changes { try await look() }
                }
                group.addTask {
                    // In case a notice is ever lost.
                    while !Task.isCancelled {
                        try await time.sleep(until: time.now.uptime + .seconds(5))
                        try await look()
                    }
                }
            }
        }
    }

    /// Milliseconds between looks. A frame of the log is written before its commit counts: that waits for the writer's
    /// sync, which takes from a fraction of a millisecond to tens of them.
    private static let delays: [Int64] = [0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 10]

    private func look() async throws {
        for delay in Self.delays {
            if delay > 0 { try await time.sleep(until: time.now.uptime + .milliseconds(delay)) }
            do throws(LedgerError) {
                guard try await ledger.hasForeignChanges() else { continue }
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
