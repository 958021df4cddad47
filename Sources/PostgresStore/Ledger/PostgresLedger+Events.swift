import Postgres
package import PromptQueue

extension PostgresLedger {
    package func events(_ query: EventQuery) async throws(LedgerError) -> [JobEvent] {
        let rows = try await change { transaction in
            // What has been committed until now gets its numbers first.
            try await transaction.pipeline { pipeline in
                pipeline.add("SELECT number_events()")
                pipeline.add(EventRows.sql(query), EventRows.arguments(query))
            }[1]
        }
        return try LedgerError.wrapping { try rows.map(JobEvent.init(row:)) }
    }

    package func eventRange() async throws(LedgerError) -> EventRange {
        let row = try await change { transaction in
            try await transaction.pipeline { pipeline in
                pipeline.add("SELECT number_events()")
                pipeline.add(EventRows.range)
            }[1]
        }
        return try LedgerError.wrapping { try EventRange(row: row.only()) }
    }

    package func oldestEvent() async throws(LedgerError) -> Instant? {
        let rows = try await read("SELECT at FROM events ORDER BY sequence LIMIT 1")
        return try LedgerError.wrapping { try rows.first.map { Instant(milliseconds: try $0[0]) } }
    }

    package func removeEvents(before: Instant?, keeping most: Int64, limit: Int) async throws(LedgerError) -> Int {
        let rows = try await change { transaction in
            try await transaction.query(
                "SELECT remove_events($1, $2, $3)",
                [.int(before?.milliseconds), .int(most), .int(Int64(limit))]
            )
        }
        return try LedgerError.wrapping { try rows.only()[0] }
    }
}

/// What is asked of `events`, by daemons and by commands.
enum EventRows {
    /// By the sequence as it is: an order by an expression of it would sort all events.
    static func sql(_ query: EventQuery) -> SQL {
        SQL(
            pasted: """
                SELECT * FROM (
                    SELECT sequence, job_id, previous_state, state, queue, batch, error_code, at FROM events
                    WHERE ($1::bigint IS NULL OR sequence > $1) AND ($2::bigint IS NULL OR job_id = $2)
                        AND ($3::text IS NULL OR queue = $3) AND ($4::text IS NULL OR batch = $4)
                        AND ($5::text[] IS NULL OR state = ANY ($5))
                    ORDER BY sequence \(query.after == nil ? "DESC" : "ASC") LIMIT $6) AS e
                ORDER BY sequence
                """
        )
    }

    static func arguments(_ query: EventQuery) -> [PostgresValue] {
        [
            .int(query.after?.rawValue), .int(query.job?.rawValue), .text(query.queue), .text(query.batch),
            query.states.isEmpty ? .null : .texts(query.states.map(\.rawValue).sorted()), .int(Int64(query.limit)),
        ]
    }

    static let range: SQL = """
        SELECT r.removed, greatest(r.removed, (SELECT max(sequence) FROM events)) FROM (
            SELECT greatest(events_removed, (SELECT max(sequence) FROM event_removals)) AS removed FROM store) AS r
        """
}

extension EventRange {
    /// From `EventRows.range`.
    init(row: PostgresRow) throws {
        self.init(latest: EventSequence(try row[1]), removed: EventSequence(try row[0]))
    }
}

extension JobEvent {
    init(row: PostgresRow) throws {
        guard let state = JobState(rawValue: try row[3]) else {
            throw LedgerError(.unusable, "events.state is not known to this program; upgrade it")
        }
        self.init(
            sequence: EventSequence(try row[0]),
            job: JobID(try row[1]),
            previous: try (row[2] as String?).flatMap(JobState.init(rawValue:)),
            state: state,
            queue: try row[4],
            batch: try row[5],
            errorCode: try row[6],
            at: Instant(milliseconds: try row[7])
        )
    }
}
