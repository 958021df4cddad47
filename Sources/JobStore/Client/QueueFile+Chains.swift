import GRDB
package import PromptQueue

extension QueueFile {
    package func source(of reference: InputReference) throws(LedgerError) -> SourceRecord? {
        try read { try Self.source(of: reference, $0) }
    }

    static func source(of reference: InputReference, _ db: Database) throws -> SourceRecord? {
        let condition: String
        let argument: any DatabaseValueConvertible
        switch reference.source {
        case .job(let id): (condition, argument) = ("id = ?", id.rawValue)
        case .key(let key): (condition, argument) = ("unique_key = ?", key)
        case nil: return nil
        }
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT id, state, model, pruned_at IS NOT NULL,
                        (SELECT count(*) FROM results AS r WHERE r.job_id = jobs.id AND r.ordinal = ?
                            AND r.url IS NOT NULL) > 0
                    FROM jobs WHERE \(condition)
                    """
            ),
            arguments: [reference.ordinal, argument]
        )
        return row.flatMap { row in
            JobState(rawValue: row[1])
                .map { SourceRecord(job: JobID(row[0]), state: $0, model: row[2], isPruned: row[3], hasFile: row[4]) }
        }
    }

    /// How far a chain is followed.
    private static let longest = 100

    static func chain(_ db: Database, _ id: JobID) throws -> [ChainLink] {
        func links(_ own: String, _ next: String, _ sign: Int) throws -> [ChainLink] {
            let rows = try Row.fetchAll(
                db.cachedStatement(
                    // UNION: a job that is reached in two ways is followed once for each distance, and chains have no circles.
                    sql: """
                        WITH RECURSIVE links(id, distance) AS (
                            SELECT \(next), 1 FROM job_inputs WHERE \(own) = ?1
                            UNION
                            SELECT i.\(next), links.distance + 1 FROM links JOIN job_inputs AS i ON i.\(own) = links.id
                            ORDER BY 2 LIMIT \(longest * 4))
                        SELECT j.id, j.state, j.model, max(links.distance) AS distance,
                            (SELECT json_group_array(reference) FROM job_inputs WHERE job_id = j.id) AS takes
                        FROM links JOIN jobs AS j ON j.id = links.id GROUP BY j.id ORDER BY distance, j.id LIMIT \(longest)
                        """
                ),
                arguments: [id.rawValue]
            )
            return try rows.compactMap { row in
                let takes = try JSONValue(parsing: row["takes"] as String).arrayValue?.compactMap(\.stringValue)
                return JobState(rawValue: row["state"]).map {
                    ChainLink(
                        job: JobID(row["id"]),
                        state: $0,
                        model: row["model"],
                        distance: sign * (row["distance"] as Int),
                        takes: takes ?? []
                    )
                }
            }
        }
        let before = try links("job_id", "source_id", -1)
        return Array(before.reversed()) + (try links("source_id", "job_id", 1))
    }

    /// How many queued jobs would fail with some, because they take their results or those of one that does.
    static func followers(of jobs: [JobID], _ db: Database) throws -> Int {
        let ids = JSONValue.array(jobs.map { .integer($0.rawValue) }).json
        return try Int.fetchOne(
            db.cachedStatement(
                sql: """
                    WITH RECURSIVE followers(id) AS (
                        SELECT i.job_id FROM json_each(?1) AS e JOIN job_inputs AS i ON i.source_id = e.value
                            JOIN jobs AS j ON j.id = i.job_id WHERE j.state = 'queued'
                        UNION
                        SELECT i.job_id FROM followers JOIN job_inputs AS i ON i.source_id = followers.id
                            JOIN jobs AS j ON j.id = i.job_id WHERE j.state = 'queued')
                    SELECT count(*) FROM followers WHERE id NOT IN (SELECT value FROM json_each(?1))
                    """
            ),
            arguments: [ids]
        ) ?? 0
    }
}
