import Postgres
package import PromptQueue

/// A PostgreSQL database that a queue comes to. The move is its owner's: triggers are silent while a table is filled, in that transaction.
package final class PostgresMoveDestination: MoveDestination {
    private let store: MoveConnection
    package var place: String { store.place }

    /// - Parameter conninfo: what libpq takes. A database without promptd's schema gets it.
    /// - Throws: `LedgerError`.
    package init(_ conninfo: String) async throws(LedgerError) {
        store = try await MoveConnection(conninfo, makesSchema: true)
    }

    package func state(of move: MoveRecord) async throws -> MoveRecord.State? {
        try await store.record("destination", id: move.id)?.state
    }

    package func begin(_ move: MoveRecord) async throws -> [String: MovedPart] {
        if let known = try await store.record("destination") {
            if known.id == move.id { return try await parts(of: move) }
            // One of the same queue that was taken back: it never was opened.
            guard known.state == .moving, known.databaseID == move.databaseID else {
                throw taken("a queue has moved here")
            }
            try await store.transaction { transaction in
                _ = try await transaction.pipeline { pipeline in
                    pipeline.add("DELETE FROM promptd.moves WHERE id = $1", [.text(known.id)])
                    pipeline.add("DELETE FROM promptd.moved_tables WHERE move_id = $1", [.text(known.id)])
                    pipeline.add("DELETE FROM promptd.moved_texts WHERE move_id = $1", [.text(known.id)])
                    pipeline.add("SELECT promptd.empty_store()")
                    Self.add(move, to: &pipeline)
                }
            }
            return [:]
        }
        let trouble: String? = try await store.transaction { transaction in
            let trouble: String? = try await transaction.pipeline { pipeline in
                pipeline.add("SELECT promptd.lock_store()")
                pipeline.add("SELECT promptd.queue_in_store()")
            }[1].only()[0]
            if trouble == nil { _ = try await transaction.pipeline { Self.add(move, to: &$0) } }
            return trouble
        }
        if let trouble { throw taken(trouble) }
        return [:]
    }

    private static func add(_ move: MoveRecord, to pipeline: inout PostgresPipeline) {
        pipeline.add(
            "INSERT INTO promptd.moves (id, role, source, destination, database_id) VALUES ($1, 'destination', $2, $3, $4)",
            [.text(move.id), .text(move.source), .text(move.destination), .text(move.databaseID)]
        )
        pipeline.add("SELECT promptd.close_store($1)", [.text(move.refusalOfDestination)])
    }

    private func taken(_ why: String) -> LedgerError {
        LedgerError(
            .unusable,
            "\(place): \(why), and a queue moves only to where there is none: name another database, or have its owner say "
                + "DROP SCHEMA promptd CASCADE in it if nobody needs what it holds"
        )
    }

    private func parts(of move: MoveRecord) async throws -> [String: MovedPart] {
        try await LedgerError.wrapping {
            let rows = try await store.connection.query(
                "SELECT name, row_count, sha256 FROM promptd.moved_tables WHERE move_id = $1",
                [.text(move.id)]
            )
            return Dictionary(
                uniqueKeysWithValues: try rows.map { row in
                    (try row[0] as String, MovedPart(count: Int(clamping: try row[1] as Int64), digest: try row[2]))
                }
            )
        }
    }

    package func take(
        _ table: MovedTable,
        _ move: MoveRecord,
        _ body: ((MovedRows) async throws -> Void) async throws -> MovedPart
    ) async throws {
        let form = StoreForm(table)
        do {
            try await store.connection.transaction { transaction in
                try await transaction.script(SQL(pasted: form.before))
                var repairs: [TextRepair] = []
                var part: MovedPart?
                _ = try await transaction.copyIn(SQL(pasted: form.writing)) { writer in
                    part = try await body { rows in
                        try await writer.write(raw: rows.bytes)
                        repairs += rows.repairs
                    }
                }
                try await transaction.script(SQL(pasted: form.after))
                guard let part else { return }
                _ = try await transaction.pipeline { pipeline in
                    for repair in repairs {
                        pipeline.add(
                            """
                            INSERT INTO promptd.moved_texts (move_id, table_name, row_key, column_name, original)
                            VALUES ($1, $2, $3, $4, $5)
                            """,
                            [
                                .text(move.id), .text(repair.table), .text(repair.row), .text(repair.column),
                                .bytes(repair.original),
                            ]
                        )
                    }
                    pipeline.add(
                        "INSERT INTO promptd.moved_tables (move_id, name, row_count, sha256) VALUES ($1, $2, $3, $4)",
                        [.text(move.id), .text(table.name), .int(Int64(part.count)), .text(part.digest)]
                    )
                }
            }
        } catch let error as PostgresError {
            throw LedgerError(error)
        }
    }

    package func complete() async throws {
        try await store.transaction { _ = try await $0.query("SELECT promptd.complete_store()") }
        // Its planner knows nothing yet of what has come.
        try await LedgerError.wrapping {
            _ = try await store.connection.query(
                """
                ANALYZE promptd.jobs, promptd.job_turns, promptd.job_times, promptd.attempts, promptd.results, promptd.events,
                    promptd.job_inputs, promptd.job_uploads, promptd.budget_attempts, promptd.turns_taken, promptd.uploads
                """
            )
        }
    }

    package func forget(_ move: MoveRecord) async throws {
        try await store.transaction { transaction in
            _ = try await transaction.pipeline { pipeline in
                pipeline.add("DELETE FROM promptd.moved_tables WHERE move_id = $1", [.text(move.id)])
                pipeline.add("DELETE FROM promptd.moved_texts WHERE move_id = $1", [.text(move.id)])
                pipeline.add("SELECT promptd.empty_store()")
            }
        }
    }

    package func open(_ move: MoveRecord) async throws {
        try await store.transaction { transaction in
            _ = try await transaction.pipeline { pipeline in
                pipeline.add("SELECT promptd.open_store()")
                pipeline.add(
                    "UPDATE promptd.account SET shut_until = greatest(shut_until, promptd.now_ms() + rate_window_ms)"
                )
                pipeline.add(
                    """
                    UPDATE promptd.moves SET state = 'moved', ended_at = promptd.now_ms() WHERE id = $1 AND role = 'destination'
                    """,
                    [.text(move.id)]
                )
                pipeline.add("DELETE FROM promptd.moved_tables WHERE move_id = $1", [.text(move.id)])
            }
        }
    }

    package func read(_ table: MovedTable, _ body: (MovedRows) async throws -> Void) async throws {
        try await store.read(table, body)
    }

    package func sums() async throws -> MoveSums { try await store.sums() }
    package func disconnect() async { await store.close() }
}
