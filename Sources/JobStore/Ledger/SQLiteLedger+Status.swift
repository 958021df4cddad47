import GRDB
import Glibc
package import PromptQueue

extension SQLiteLedger: StatusSource {
    /// Whether something can be written: what the last real write tells, or else a write of its own. An empty transaction
    /// would need no room on the disk; and its own write is so small that it may find room where no other does, so after
    /// one that failed only another real one proves anything (the heartbeat is one, every 10 s). Where next to no space is
    /// left, the answer is no before anything has failed.
    ///
    /// Answers within two seconds, and writes at most once in one, however often it is asked.
    package func isWritable() async -> Bool {
        let patience: Duration = .seconds(0.9)
        guard hasSpace else { return false }
        if let known = commits.isWriting(within: patience) { return known }
        let (answers, answer) = AsyncStream<Bool>.makeStream()
        // Neither can be waited for in a group: the write ends when the lock is free or its own patience is over.
        commits.commit(
            { db in try db.execute(sql: "UPDATE daemon SET heartbeat_at = heartbeat_at") },
            isProbe: true
        ) { result in
            answer.yield((try? result.get()) != nil)
        }
        let timer = Task {
            try await ContinuousClock().sleep(for: patience)
            answer.yield(false)
        }
        defer { timer.cancel() }
        for await isWritable in answers { return isWritable }
        return false
    }

    /// Whether the database's disk has room for a few transactions; true if that cannot be told.
    private var hasSpace: Bool {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return true }
        let free = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return free.overflow || free.partialValue >= 256 << 10
    }

    package func figures() async throws(LedgerError) -> StatusFigures {
        try await LedgerError.wrapping {
            try await self.pool.read { db in
                var figures = StatusFigures()
                figures.jobs =
                    try Row
                    .fetchAll(db, sql: "SELECT queue, state, jobs FROM queue_counts ORDER BY queue, state")
                    .map { .init(queue: $0["queue"], state: $0["state"], jobs: $0["jobs"]) }
                figures.gates = try String.fetchAll(db, sql: "SELECT DISTINCT name FROM gates ORDER BY name")
                if let load = try Row.fetchOne(db, sql: "SELECT * FROM daemon_load") {
                    figures.rateUsed = load["rate_used"]
                    figures.rateLimit = load["rate_limit"] ?? 0
                    figures.running = load["running"]
                    figures.runningLimit = load["running_limit"] ?? 0
                }
                figures.balance = try Int64.fetchOne(db, sql: "SELECT balance_millicredits FROM daemon")
                    .map(Credits.init(millicredits:))
                figures.reserved = Credits(
                    millicredits: try Int64.fetchOne(
                        db,
                        sql: "SELECT coalesce(sum(reserved_millicredits), 0) FROM attempts WHERE finished_at IS NULL"
                    ) ?? 0
                )
                figures.reservedForUnknown = Credits(
                    millicredits: try Int64.fetchOne(
                        db,
                        sql: """
                            SELECT coalesce(sum(reserved_millicredits), 0) FROM attempts
                            WHERE finished_at IS NULL AND state = 'unknown'
                            """
                    ) ?? 0
                )
                figures.unexplained = try AccountRecord.read(db)?.unexplained
                return figures
            }
        }
    }
}
