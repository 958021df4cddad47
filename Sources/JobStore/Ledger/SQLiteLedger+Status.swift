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
    private var hasSpace: Bool { availableBytes.map { $0 >= 256 << 10 } ?? true }

    /// What is free on the database's file system, in bytes; nil if that cannot be told.
    private var availableBytes: Int64? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return nil }
        let free = Int64(clamping: status.f_bavail).multipliedReportingOverflow(by: Int64(clamping: status.f_frsize))
        return free.overflow ? nil : free.partialValue
    }

    private static func queues(_ db: Database) throws -> [StatusFigures.QueueFigures] {
        try Row
            .fetchAll(
                db,
                sql: """
                    SELECT q.name, q.paused,
                        (SELECT coalesce(sum(t.waiting), 0) FROM turns AS t WHERE t.queue = q.name AND t.waiting > 0)
                        -- While nothing is claimed, what becomes due has no turn yet.
                        + coalesce(s.jobs, 0) AS due
                    FROM queues AS q LEFT JOIN (
                        SELECT queue, count(*) AS jobs FROM jobs INDEXED BY jobs_scheduled
                        WHERE state = 'queued' AND turn IS NULL AND coalesce(waits, 0) = 0
                            AND run_at <= unixepoch('now') * 1000
                        GROUP BY queue) AS s ON s.queue = q.name
                    ORDER BY q.name
                    """
            )
            .map { .init(name: $0["name"], isPaused: $0["paused"], due: $0["due"]) }
    }

    /// Looks at the next job of each lane: the first in turn is not always the one that has waited for longest, but nearly.
    private static func waitingSince(_ db: Database) throws -> Instant? {
        try Int64.fetchOne(
            db,
            sql: """
                SELECT min((SELECT max(created_at, run_at) FROM jobs AS j
                    WHERE j.state = 'queued' AND j.turn IS NOT NULL AND j.queue = q.name
                    ORDER BY j.model, j.priority DESC, j.turn LIMIT 1))
                FROM queues AS q WHERE q.paused = 0
                """
        )
        .map(Instant.init(milliseconds:))
    }

    private static func size(_ db: Database) throws -> Int64 {
        let pages = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        return pages.multipliedReportingOverflow(by: try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 0).partialValue
    }

    package func figures() async throws(LedgerError) -> StatusFigures {
        try await LedgerError.wrapping {
            try await self.pool.read { db in
                var figures = StatusFigures()
                figures.jobs =
                    try Row
                    .fetchAll(db, sql: "SELECT queue, state, jobs FROM queue_counts ORDER BY queue, state")
                    .map { .init(queue: $0["queue"], state: $0["state"], jobs: $0["jobs"]) }
                figures.queues = try Self.queues(db)
                figures.setAside =
                    try Int.fetchOne(
                        db,
                        sql: """
                            SELECT count(*) FROM (
                                SELECT job_id FROM set_aside UNION SELECT job_id FROM suspects WHERE is_aside = 1)
                            """
                    ) ?? 0
                figures.pendingResults =
                    try Int.fetchOne(db, sql: "SELECT count(*) FROM results WHERE state = 'pending'") ?? 0
                figures.hooksPending =
                    try Int.fetchOne(db, sql: "SELECT count(*) FROM hook_deliveries WHERE state = 'pending'") ?? 0
                figures.hooksDead =
                    try Int.fetchOne(db, sql: "SELECT count(*) FROM hook_deliveries WHERE state = 'dead'") ?? 0
                figures.gates = try String.fetchAll(db, sql: "SELECT DISTINCT name FROM gates ORDER BY name")
                if let load = try Row.fetchOne(db, sql: "SELECT * FROM daemon_load") {
                    figures.rateUsed = load["rate_used"]
                    figures.rateLimit = load["rate_limit"] ?? 0
                    figures.running = load["running"]
                    figures.runningLimit = load["running_limit"] ?? 0
                }
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
                figures.note(try AccountStatus.all(db))
                figures.charged = Credits(
                    millicredits: try Int64.fetchOne(
                        db,
                        sql: "SELECT coalesce(sum(charged_millicredits), 0) FROM spending WHERE period = 'total'"
                    ) ?? 0
                )
                figures.budgets =
                    try Row
                    .fetchAll(db, sql: "SELECT * FROM budget_sums ORDER BY name")
                    .map { row in
                        BudgetFigures(
                            name: row["name"],
                            limit: row.credits("limit_millicredits") ?? .zero,
                            reserved: row.credits("reserved_millicredits") ?? .zero,
                            charged: row.credits("charged_millicredits") ?? .zero
                        )
                    }
                if let row = try Row.fetchOne(db, sql: "SELECT * FROM daemon") {
                    figures.heartbeat = row.instant("heartbeat_at")
                    figures.lastError = row.instant("last_error_at")
                }
                figures.waitingSince = try Self.waitingSince(db)
                figures.databaseBytes = try Self.size(db)
                figures.logBytes = Int64(walBytes)
                figures.availableBytes = availableBytes
                return figures
            }
        }
    }
}
