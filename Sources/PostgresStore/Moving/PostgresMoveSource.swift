import Postgres
package import PromptQueue
import StateFiles

/// A queue in PostgreSQL that is to leave it, once all its daemons have stopped.
package final class PostgresMoveSource: MoveSource {
    private let store: MoveConnection
    package var place: String { store.place }

    private let outcomes: OutcomeFile

    /// - Parameter files: what the names of this machine's daemon's own files begin with.
    /// - Throws: `LedgerError`.
    package init(_ conninfo: String, files: String) async throws(LedgerError) {
        outcomes = try OutcomeFile(database: files)
        store = try await MoveConnection(conninfo, makesSchema: false)
    }

    package func record() async throws -> MoveRecord? { try await store.record("source") }

    package func check() async throws -> [String] {
        try outcomes.checkIsEmpty()
        return []
    }

    package func close(for destination: String) async throws -> MoveRecord {
        if let known = try await store.record("source") { return known }
        try await store.transaction { transaction in
            let row = try await transaction.pipeline { pipeline in
                // Nobody writes from here to the end.
                pipeline.add("SELECT promptd.lock_store()")
                pipeline.add(
                    """
                    SELECT replace(gen_random_uuid()::text, '-', ''), database_id,
                        (SELECT string_agg(format('%s on %s, pid %s', name, coalesce(host, '?'), coalesce(pid, 0)), '; ')
                            FROM promptd.daemons WHERE ended_at IS NULL AND lease_until > promptd.now_ms()),
                        (SELECT source FROM promptd.moves WHERE role = 'destination' AND state = 'moving')
                    FROM promptd.store
                    """
                )
            }[1].only()
            if let source: String = try row[3] {
                throw LedgerError(
                    .unusable,
                    "a queue is being moved here from \(source), and is not complete: finish that first"
                )
            }
            if let daemons: String = try row[2] {
                throw LedgerError(
                    .unusable,
                    "a promptd works on it (\(daemons)): stop it first, and those on all other machines"
                )
            }
            guard try await transaction.query("SELECT promptd.settle_store()").only()[0] else {
                throw LedgerError(.busy, "what was added last is still being counted")
            }
            let move = MoveRecord(
                id: try row[0],
                state: .moving,
                source: self.place,
                destination: destination,
                databaseID: try row[1]
            )
            _ = try await transaction.pipeline { pipeline in
                pipeline.add(
                    "INSERT INTO promptd.moves (id, role, source, destination, database_id) VALUES ($1, 'source', $2, $3, $4)",
                    [.text(move.id), .text(move.source), .text(move.destination), .text(move.databaseID)]
                )
                pipeline.add("SELECT promptd.close_store($1)", [.text(move.refusalOfSource)])
            }
        }
        guard let record = try await store.record("source") else {
            throw LedgerError(.other, "\(place): the move was not noted")
        }
        return record
    }

    package func reopen() async throws {
        guard let record = try await store.record("source") else { return }
        guard record.state == .moving else { throw LedgerError(.unusable, record.refusalOfSource) }
        try await store.transaction { transaction in
            _ = try await transaction.pipeline { pipeline in
                pipeline.add("SELECT promptd.open_store()")
                pipeline.add("DELETE FROM promptd.moves WHERE id = $1 AND role = 'source'", [.text(record.id)])
            }
        }
    }

    package func finish() async throws {
        guard let record = try await store.record("source") else { return }
        let moved = MoveRecord(
            id: record.id,
            state: .moved,
            source: record.source,
            destination: record.destination,
            databaseID: record.databaseID
        )
        try await store.transaction { transaction in
            _ = try await transaction.pipeline { pipeline in
                pipeline.add(
                    "UPDATE promptd.moves SET state = 'moved', ended_at = promptd.now_ms() WHERE id = $1 AND role = 'source'",
                    [.text(record.id)]
                )
                pipeline.add("SELECT promptd.close_store($1)", [.text(moved.refusalOfSource)])
            }
        }
    }

    package func read(_ table: MovedTable, _ body: (MovedRows) async throws -> Void) async throws {
        try await store.read(table, body)
    }

    package func sums() async throws -> MoveSums { try await store.sums() }
    package func disconnect() async { await store.close() }
}
