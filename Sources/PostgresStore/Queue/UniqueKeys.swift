import Postgres
package import PromptQueue

extension PostgresQueue {
    package func checkingKeys<T>(_ body: (any KeyChecker) throws -> T) throws -> T {
        var thrown: (any Error)?
        do {
            return try using { connection in
                let keys = try UniqueKeys(connection)
                do {
                    return try body(keys)
                } catch {
                    thrown = error
                    throw error
                }
            }
        } catch {
            throw thrown ?? error
        }
    }
}

/// Finds unique keys that are taken, in the store or by an earlier line of the same file, without holding them all in memory: the lines'
/// own keys are kept in a temporary table of the session's.
final class UniqueKeys: KeyChecker {
    private let connection: BlockingConnection
    /// What is known of the keys and references that were asked for at once.
    private var holders: [String: String] = [:]
    private var sources: [InputReference: SourceRecord] = [:]
    private var known: Set<String> = []
    private var prepared: Set<InputReference> = []
    private var lines: [String: Int] = [:]
    /// Those that came since then, and are not in the table yet.
    private var claimed: [(key: String, line: Int)] = []

    init(_ connection: BlockingConnection) throws {
        self.connection = connection
        _ = try connection.pipeline {
            $0.add("DROP TABLE IF EXISTS pg_temp.import_keys")
            $0.add("CREATE TEMPORARY TABLE import_keys (key text COLLATE \"C\" PRIMARY KEY, line bigint NOT NULL)")
        }
    }

    static func holder(_ row: PostgresRow) throws -> String { "job \(try row[0] as Int64) (\(try row[1] as String))" }

    func prepare(_ jobs: [NewJob]) throws(LedgerError) {
        try look(keys: jobs.compactMap(\.uniqueKey), references: jobs.flatMap(\.references))
    }

    func claim(_ key: String, line: Int) throws(LedgerError) -> String? {
        // No row can have it: inserting it will be refused.
        guard !StoredText.holdsNUL(key) else { return nil }
        if !known.contains(key) { try look(keys: [key], references: []) }
        if let holder = holders[key] { return holder }
        if let line = lines[key] { return "line \(line)" }
        lines[key] = line
        claimed.append((key, line))
        return nil
    }

    func problem(with reference: InputReference) throws(LedgerError) -> String? {
        if !prepared.contains(reference) { try look(keys: [], references: [reference]) }
        let source = sources[reference]
        if source == nil, case .key(let key) = reference.source {
            if !known.contains(key) { try look(keys: [key], references: []) }
            if lines[key] != nil { return nil }
        }
        return reference.problem(with: source)
    }

    /// Asks for all of them in one round trip; what was asked for before is forgotten.
    private func look(keys: [String], references: [InputReference]) throws(LedgerError) {
        let keys = Array(Set(keys + references.compactMap { $0.key }).filter { !StoredText.holdsNUL($0) })
        let references = Array(Set(references))
        try LedgerError.wrapping {
            let rows = try connection.pipeline { pipeline in
                pipeline.add(
                    "INSERT INTO pg_temp.import_keys (key, line) SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING",
                    [.texts(claimed.map(\.key)), .ints(claimed.map { Int64($0.line) })]
                )
                pipeline.add("SELECT id, state, unique_key FROM jobs WHERE unique_key = ANY ($1)", [.texts(keys)])
                pipeline.add("SELECT key, line FROM pg_temp.import_keys WHERE key = ANY ($1)", [.texts(keys)])
                pipeline.add(SourceRecord.query, SourceRecord.arguments(references))
            }
            claimed = []
            holders = try Dictionary(rows[1].map { (try $0[2], try Self.holder($0)) }) { first, _ in first }
            lines = try Dictionary(rows[2].map { (try $0[0], try $0[1]) }) { first, _ in first }
            sources = try SourceRecord.found(rows[3], references)
        }
        known = Set(keys)
        prepared = Set(references)
    }
}

extension InputReference {
    fileprivate var key: String? { if case .key(let key) = source { key } else { nil } }
}

extension SourceRecord {
    /// Of several references at once; the place of each comes first.
    static let query: SQL = """
        SELECT r.place, j.id, j.state, j.model, j.pruned_at IS NOT NULL,
            EXISTS (SELECT 1 FROM results AS s WHERE s.job_id = j.id AND s.ordinal = r.ordinal AND s.url IS NOT NULL)
        FROM unnest($1::bigint[], $2::text[], $3::bigint[]) WITH ORDINALITY AS r (job, key, ordinal, place)
            CROSS JOIN LATERAL (
                SELECT id, state, model, pruned_at FROM jobs WHERE id = r.job
                UNION ALL
                SELECT id, state, model, pruned_at FROM jobs WHERE unique_key = r.key) AS j
        """

    static func arguments(_ references: [InputReference]) -> [PostgresValue] {
        let jobs = references.map { reference -> Int64? in
            if case .job(let id) = reference.source { id.rawValue } else { nil }
        }
        let keys = references.map { $0.key.flatMap { StoredText.holdsNUL($0) ? nil : $0 } }
        return [.ints(jobs), .texts(keys), .ints(references.map { Int64($0.ordinal) })]
    }

    static func found(_ rows: PostgresRows, _ references: [InputReference]) throws -> [InputReference: SourceRecord] {
        var found: [InputReference: SourceRecord] = [:]
        for row in rows {
            guard let state = JobState(rawValue: try row[2]) else { continue }
            found[references[try (row[0] as Int) - 1]] = SourceRecord(
                job: JobID(try row[1]),
                state: state,
                model: try row[3],
                isPruned: try row[4],
                hasFile: try row[5]
            )
        }
        return found
    }
}
