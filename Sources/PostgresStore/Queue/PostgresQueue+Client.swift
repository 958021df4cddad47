import Postgres
import PromptQueue

extension PostgresQueue: QueueClient {
    /// By one snapshot: what `body` reads is of one instant, and if somebody else has changed since what it changes then, it is undone
    /// with `busy`. Nobody waits for it but whoever changes the same rows.
    package func transaction<T>(dryRun: Bool, _ body: () throws -> T) throws -> T {
        var options = TransactionOptions()
        options.isolation = .repeatableRead
        var thrown: (any Error)?
        do {
            return try writing(dryRun: dryRun, options) { _ in
                do {
                    return try body()
                } catch {
                    thrown = error
                    throw error
                }
            }
        } catch {
            throw thrown ?? error
        }
    }

    /// Of several the one that came first, on whatever machine it is: nobody sends it signals, for what is news to daemons is told by
    /// NOTIFY.
    package var daemonProcessID: Int32? {
        let rows = try? read(
            "SELECT coalesce(pid, 0) FROM daemons WHERE ended_at IS NULL AND lease_until > fact_time() ORDER BY epoch LIMIT 1"
        )
        return (try? rows?.first.map { try $0[0] as Int64 }).map { Int32(clamping: $0) }
    }
}

extension PostgresQueue {
    /// How often a change is tried that somebody else's has crossed.
    private static let tries = 5

    /// A change, in a transaction of its own or as a part of the one that is under way. It may be tried more than once.
    ///
    /// - Parameter dryRun: whether all that `body` did is undone: what it found out is what it would have done.
    func change<T>(dryRun: Bool = false, _ body: (BlockingConnection) throws -> T) throws(LedgerError) -> T {
        try using { connection in
            var left = connection.isInTransaction ? 1 : Self.tries
            while true {
                left -= 1
                do {
                    return try connection.transaction(keeps: !dryRun) { try body(connection) }
                } catch let error as PostgresError where error.isCrossed && left > 0 {
                    continue
                }
            }
        }
    }

    /// One statement that changes something.
    @discardableResult
    func carryOut(_ sql: SQL, _ parameters: [PostgresValue] = []) throws(LedgerError) -> PostgresRows {
        try change { try $0.query(sql, parameters) }
    }
}

extension PostgresError {
    /// Whether somebody else's transaction was in its way, and the same may succeed now.
    var isCrossed: Bool { sqlState == .deadlockDetected || sqlState == .serializationFailure }

    /// Whether a rule of the database has refused a row.
    var isRefusal: Bool { sqlState.map { $0.errorClass == "23" || $0.errorClass == "P0" } ?? false }
}
