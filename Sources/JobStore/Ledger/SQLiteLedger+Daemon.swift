import GRDB
package import PromptQueue

extension SQLiteLedger {
    package func begin(_ identity: DaemonIdentity, now: Instant) async throws(LedgerError) {
        try await commits.commit { db in
            try db.execute(
                sql: """
                    UPDATE daemon SET pid = ?, version = ?, started_at = ?, heartbeat_at = ?, stopped_at = NULL
                    """,
                arguments: [identity.processID, identity.version, now.milliseconds, now.milliseconds]
            )
            try db.execute(sql: "UPDATE accounts SET is_configured = 0")
            for limits in identity.accounts { try Self.note(limits, at: now, db) }
            try db.execute(sql: "DELETE FROM gates WHERE name <> ?", arguments: [BlockReason.restored.rawValue])
            // Batches that have no job waiting any more: their next one begins at what is being served in any case.
            try db.execute(
                sql: """
                    DELETE FROM turns WHERE waiting <= 0 AND taken < (SELECT s.turn FROM turns_served AS s
                        WHERE s.queue = turns.queue AND s.priority = turns.priority)
                    """
            )
        }
    }

    private static func note(_ limits: AccountLimits, at now: Instant, _ db: Database) throws {
        let name = limits.name.rawValue
        // One that is there is updated: a trigger refuses what would replace it.
        try db.execute(
            sql: "INSERT INTO accounts (name) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE name = ?1)",
            arguments: [name]
        )
        try db.execute(
            sql: """
                UPDATE accounts SET is_configured = 1, rate_limit = ?, rate_window_ms = ?, running_limit = ? WHERE name = ?
                """,
            arguments: [limits.rate.count, limits.rate.window.milliseconds, limits.runningLimit, name]
        )
        try RecordWork(db: db, now: now, account: limits.name).rules(limits.rules)
    }

    package func beat(now: Instant) async throws(LedgerError) {
        try await commits.commit { db in
            try db.execute(sql: "UPDATE daemon SET heartbeat_at = ?", arguments: [now.milliseconds])
        }
    }

    package func end(now: Instant) async throws(LedgerError) {
        try await commits.commit { db in
            try db.execute(
                sql: "UPDATE daemon SET stopped_at = ?, heartbeat_at = ?",
                arguments: [now.milliseconds, now.milliseconds]
            )
            try db.execute(sql: "DELETE FROM gates WHERE name <> ?", arguments: [BlockReason.restored.rawValue])
        }
    }
}
