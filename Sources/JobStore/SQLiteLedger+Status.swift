import GRDB
package import PromptQueue

extension SQLiteLedger: StatusSource {
    package func isWritable() async -> Bool {
        // Takes and gives back the write lock: fails when the disk or the file does.
        do {
            try await pool.writeWithoutTransaction { db in
                try db.beginTransaction(.immediate)
                try db.rollback()
            }
            return true
        } catch {
            return false
        }
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
