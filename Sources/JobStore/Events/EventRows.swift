import GRDB
package import PromptQueue

/// The queries over `events`, for the daemon and for commands.
struct EventRows {
    let db: Database

    func events(_ query: EventQuery) throws -> [JobEvent] {
        var parts: [String] = []
        var arguments = StatementArguments()
        func require(_ sql: String, _ values: StatementArguments) {
            parts.append(sql)
            arguments += values
        }
        if let after = query.after { require("sequence > ?", [after.rawValue]) }
        if let job = query.job { require("job_id = ?", [job.rawValue]) }
        if let queue = query.queue { require("queue = ?", [queue]) }
        if let batch = query.batch { require("batch = ?", [batch]) }
        if !query.states.isEmpty {
            parts.append("state IN (\(query.states.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")))")
        }
        let events = try Row.fetchAll(
            db,
            sql: """
                SELECT * FROM events WHERE \(parts.isEmpty ? "1" : parts.joined(separator: " AND "))
                ORDER BY sequence \(query.after == nil ? "DESC" : "ASC") LIMIT ?
                """,
            arguments: arguments + [query.limit]
        )
        .map(JobEvent.init)
        return query.after == nil ? events.reversed() : events
    }

    func range() throws -> EventRange {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT events_removed, max(events_removed, coalesce((SELECT max(sequence) FROM events), 0)) AS latest
                FROM daemon
                """
        )
        return EventRange(
            latest: EventSequence(row?["latest"] ?? 0),
            removed: EventSequence(row?["events_removed"] ?? 0)
        )
    }

    func oldest() throws -> Instant? {
        try Int64.fetchOne(db, sql: "SELECT at FROM events ORDER BY sequence LIMIT 1").map(Instant.init(milliseconds:))
    }

    func remove(before instant: Instant?, keeping most: Int64, limit: Int) throws -> Int {
        let last = try Int64.fetchOne(db, sql: "SELECT max(sequence) FROM events") ?? 0
        // What the rule of the database keeps (events_kept) is not asked for.
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT sequence, at, sequence > ? - 100000
                    AND at > CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) - 604800000 AS is_kept
                FROM events ORDER BY sequence LIMIT ?
                """,
            arguments: [last, limit]
        )
        // Only a beginning: what is removed leaves no hole.
        let old = rows.prefix { row in
            guard row["is_kept"] == false else { return false }
            return row["sequence"] <= last - most || instant.map { row["at"] < $0.milliseconds } ?? false
        }
        guard let end = old.last else { return 0 }
        try db.execute(sql: "DELETE FROM events WHERE sequence <= ?", arguments: [end["sequence"] as Int64])
        return old.count
    }
}

extension JobEvent {
    init(_ row: Row) throws {
        let previous: String? = row["previous_state"]
        guard let state = JobState(rawValue: row["state"]) else {
            throw LedgerError(.unusable, "events.state is not known to this program; upgrade it")
        }
        self.init(
            sequence: EventSequence(row["sequence"]),
            job: JobID(row["job_id"]),
            previous: previous.flatMap(JobState.init),
            state: state,
            queue: row["queue"],
            batch: row["batch"],
            errorCode: row["error_code"],
            at: Instant(milliseconds: row["at"])
        )
    }
}

extension SQLiteLedger: EventStore {
    package func events(_ query: EventQuery) async throws(LedgerError) -> [JobEvent] {
        try await LedgerError.wrapping { try await self.pool.read { db in try EventRows(db: db).events(query) } }
    }

    package func eventRange() async throws(LedgerError) -> EventRange {
        try await LedgerError.wrapping { try await self.pool.read { db in try EventRows(db: db).range() } }
    }

    package func oldestEvent() async throws(LedgerError) -> Instant? {
        try await LedgerError.wrapping { try await self.pool.read { db in try EventRows(db: db).oldest() } }
    }

    package func removeEvents(
        before instant: Instant?,
        keeping most: Int64,
        limit: Int
    ) async throws(LedgerError) -> Int {
        try await commits.commit { db in
            try EventRows(db: db).remove(before: instant, keeping: most, limit: limit)
        }
    }
}

extension QueueFile {
    package func events(_ query: EventQuery) throws(LedgerError) -> [JobEvent] {
        try read { db in try EventRows(db: db).events(query) }
    }

    package func eventRange() throws(LedgerError) -> EventRange {
        try read { db in try EventRows(db: db).range() }
    }
}
