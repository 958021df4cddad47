import Postgres
import PromptQueue

/// A connection for a move, which has no limits of time, and what both directions do by it.
struct MoveConnection: Sendable {
    let connection: PostgresConnection
    var place: String { connection.place }

    /// - Parameter makesSchema: whether a database without promptd's schema gets it.
    init(_ conninfo: String, makesSchema: Bool) async throws(LedgerError) {
        connection = try await LedgerError.wrapping {
            var settings = PostgresSettings(conninfo, applicationName: "promptctl migrate")
            settings.limits.statement = nil
            settings.limits.idleInTransaction = nil
            settings.limits.silence = nil
            settings.limits.lock = .seconds(10)
            settings.parameters = ["search_path": "promptd", "client_min_messages": "warning"]
            return try await PostgresConnection.open(settings)
        }
        if makesSchema {
            try await StoreSchema.install(connection)
        } else {
            let isThere: Bool = try await LedgerError.wrapping {
                try await connection.query("SELECT to_regclass('promptd.moves') IS NOT NULL").only()[0]
            }
            guard isThere else {
                throw LedgerError(.unusable, "\(connection.place): there is no queue of promptd's in it")
            }
        }
        let isAlone: Bool = try await LedgerError.wrapping {
            try await connection.query("SELECT pg_try_advisory_lock(hashtext('promptd'), hashtext('moves'))").only()[0]
        }
        guard isAlone else {
            throw LedgerError(.unusable, "\(connection.place): another promptctl migrate is at work on it; let it end")
        }
    }

    func record(_ role: String, id: String? = nil) async throws(LedgerError) -> MoveRecord? {
        try await LedgerError.wrapping {
            let rows = try await connection.query(
                """
                SELECT id, state, source, destination, database_id FROM promptd.moves
                WHERE role = $1 AND ($2::text IS NULL OR id = $2) ORDER BY begun_at DESC LIMIT 1
                """,
                [.text(role), .text(id)]
            )
            guard let row = rows.first, let state = MoveRecord.State(rawValue: try row[1]) else { return nil }
            return MoveRecord(
                id: try row[0],
                state: state,
                source: try row[2],
                destination: try row[3],
                databaseID: try row[4]
            )
        }
    }

    func transaction<T: Sendable>(_ body: (PostgresTransaction) async throws -> T) async throws(LedgerError) -> T {
        try await LedgerError.wrapping { try await connection.transaction { try await body($0) } }
    }

    func read(_ table: MovedTable, _ body: (MovedRows) async throws -> Void) async throws {
        do {
            _ = try await connection.copyOut(SQL(pasted: StoreForm(table).reading)) { bytes in
                try await body(MovedRows(bytes: bytes, count: bytes.count { $0 == UInt8(ascii: "\n") }))
            }
        } catch let error as PostgresError {
            throw LedgerError(error)
        }
    }

    /// From the rows themselves.
    func sums() async throws(LedgerError) -> MoveSums {
        try await LedgerError.wrapping {
            let rows = try await connection.query(
                """
                SELECT 'jobs of ' || queue || ', ' || state,
                    count(*) || ', estimated ' || coalesce(sum(estimated_millicredits), 0)
                        || ', charged ' || coalesce(sum(charged_millicredits), 0)
                FROM jobs GROUP BY queue, state
                UNION ALL
                SELECT 'jobs counted in ' || queue || ', ' || state, jobs::text FROM queue_counts WHERE jobs <> 0
                UNION ALL
                SELECT 'requests of the account ' || account || ', ' || state,
                    count(*) || ', reserved ' || sum(reserved_millicredits)
                        || ', charged ' || coalesce(sum(charged_millicredits), 0)
                FROM attempts GROUP BY account, state
                UNION ALL
                SELECT 'requests of ' || queue || ' in the month from ' || (sent_at / 2592000000 * 2592000000),
                    count(*) || ', reserved ' || sum(reserved_millicredits)
                        || ', charged ' || coalesce(sum(charged_millicredits), 0)
                FROM attempts GROUP BY queue, sent_at / 2592000000
                UNION ALL
                SELECT 'requests of the budget ' || budget,
                    count(*) || ', reserved ' || sum(reserved_millicredits)
                        || ', charged ' || coalesce(sum(charged_millicredits), 0)
                FROM budget_attempts JOIN attempts ON attempts.id = attempt_id GROUP BY budget
                UNION ALL
                SELECT 'kept of the budget ' || budget || ' by ' || period,
                    'reserved ' || sum(reserved_millicredits) || ', charged ' || sum(charged_millicredits)
                FROM budget_spending GROUP BY budget, period
                UNION ALL
                SELECT 'kept of ' || queue || ' by ' || period,
                    'reserved ' || sum(reserved_millicredits) || ', charged ' || sum(charged_millicredits)
                FROM spending GROUP BY queue, period
                UNION ALL
                SELECT 'kept of the account ' || name,
                    'charged ' || charged_millicredits || ', presumed ' || presumed_millicredits
                        || ', adopted ' || adopted_millicredits
                FROM accounts
                UNION ALL
                SELECT 'results ' || state, count(*) || ', bytes ' || coalesce(sum(bytes), 0) FROM results GROUP BY state
                UNION ALL
                SELECT 'jobs that have a turn', count(*)::text FROM job_turns
                """
            )
            return MoveSums(
                Dictionary(try rows.map { (try $0[0] as String, try $0[1] as String) }) { first, _ in first }
            )
        }
    }

    func close() async { await connection.close() }
}
