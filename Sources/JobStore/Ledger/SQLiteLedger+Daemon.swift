import GRDB
package import PromptQueue

extension SQLiteLedger {
    package func begin(_ identity: DaemonIdentity, now: Instant) async throws(LedgerError) {
        try await commits.commit { db in
            try db.execute(
                sql: """
                    UPDATE daemon SET pid = ?, version = ?, started_at = ?, heartbeat_at = ?, stopped_at = NULL,
                        rate_limit = ?, rate_window_ms = ?, running_limit = ?
                    """,
                arguments: [
                    identity.processID, identity.version, now.milliseconds, now.milliseconds,
                    identity.rate.count, identity.rate.window.milliseconds, identity.runningLimit,
                ]
            )
            try RecordWork(db: db, now: now).rules(identity.rules)
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
