import GRDB
import PromptQueue

/// How far an index of prompts has come, and in which database.
struct SearchMark: Equatable {
    var databaseID: String
    /// The last job that it has, of those that were added in order.
    var lastJob: Int64 = 0
    /// An event of the database, the last one then. An older copy of the database does not have it, or has another in its place.
    var event: Int64 = 0
    /// Nil: there was no event then.
    var eventJob: Int64?
    var eventAt: Int64?

    /// Whether the database is the one of which the index was made, at that time or later.
    func holds(in db: Database) throws -> Bool {
        let id = try String.fetchOne(db.cachedStatement(sql: "SELECT database_id FROM daemon"))
        guard id == databaseID else { return false }
        let statement = try db.cachedStatement(sql: "SELECT job_id, at FROM events WHERE sequence = ?")
        if let row = try Row.fetchOne(statement, arguments: [event]) {
            return row["job_id"] == eventJob && row["at"] == eventAt
        }
        // Where nothing has happened since, old events may all be gone.
        return try Self.lastEvent(in: db) == event
    }

    /// Notes what is the last event now.
    mutating func seeEvents(in db: Database) throws {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT sequence, job_id, at FROM events ORDER BY sequence DESC LIMIT 1")
        )
        event = try row?["sequence"] ?? Self.lastEvent(in: db)
        eventJob = row?["job_id"]
        eventAt = row?["at"]
    }

    /// The number of the last event that there ever was.
    private static func lastEvent(in db: Database) throws -> Int64 {
        try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'")
        ) ?? 0
    }
}

extension SearchMark {
    /// Of an index; nil if it has none that this program understands.
    init?(index db: Database) throws {
        guard try Int.fetchOne(db, sql: "PRAGMA user_version") == SearchFile.format,
            let row = try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM about"))
        else { return nil }
        self.init(
            databaseID: row["database_id"],
            lastJob: row["last_job"],
            event: row["event"],
            eventJob: row["event_job"],
            eventAt: row["event_at"]
        )
    }

    func write(index db: Database) throws {
        try db
            .cachedStatement(
                sql: """
                    INSERT INTO about (id, database_id, last_job, event, event_job, event_at) VALUES (1, ?1, ?2, ?3, ?4, ?5)
                    ON CONFLICT (id) DO UPDATE SET database_id = ?1, last_job = ?2, event = ?3, event_job = ?4, event_at = ?5
                    """
            )
            .execute(arguments: [databaseID, lastJob, event, eventJob, eventAt])
    }
}
