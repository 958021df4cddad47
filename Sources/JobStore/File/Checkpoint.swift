import GRDB
import PromptQueue
import Synchronization

/// Copies the write-ahead log into the database and cuts it to nothing.
///
/// While it waits for readers it holds the write lock, so it waits only shortly, and after a reader stood in the way it
/// leaves the log alone for a while: a long SELECT in somebody's shell must not hold up every commit.
final class Checkpoint: Sendable {
    private static let patience: Duration = .milliseconds(200)
    private static let pause: Duration = .seconds(30)

    private let onBusy: @Sendable () -> Void
    private let notBefore = Mutex<ContinuousClock.Instant?>(nil)

    init(onBusy: @escaping @Sendable () -> Void) {
        self.onBusy = onBusy
    }

    func run(_ db: Database) throws {
        if let notBefore = notBefore.withLock({ $0 }), ContinuousClock.now < notBefore { return }
        try db.execute(sql: "PRAGMA busy_timeout = \(Self.patience.milliseconds)")
        defer {
            // The connection's own patience; a statement that only sets a number of SQLite's does not fail.
            try? db.execute(sql: "PRAGMA busy_timeout = \(LedgerFile.busyTimeout.milliseconds)")
        }
        do {
            _ = try db.checkpoint(.truncate)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            notBefore.withLock { $0 = ContinuousClock.now + Self.pause }
            onBusy()
        }
    }
}
