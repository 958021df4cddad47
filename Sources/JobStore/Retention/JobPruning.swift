import GRDB
package import PromptQueue

/// Removes finished jobs: the queries behind both the daemon's upkeep and `promptctl prune`.
struct JobPruning {
    let db: Database

    private static let ended = "jobs.state IN ('succeeded', 'failed', 'cancelled')"
    /// What the provider may still be working on, or may still be charged.
    private static let settled =
        "NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = jobs.id AND a.finished_at IS NULL)"

    /// What a job that has not ended still takes something of.
    private static let untaken = """
        NOT EXISTS (SELECT 1 FROM job_inputs AS i JOIN jobs AS f ON f.id = i.job_id
            WHERE i.source_id = jobs.id AND f.state NOT IN ('succeeded', 'failed', 'cancelled'))
        """

    private static func condition(_ filter: JobFilter) -> (sql: String, arguments: StatementArguments) {
        let (condition, arguments) = filter.condition
        return ("\(ended) AND jobs.pruned_at IS NULL AND \(settled) AND \(untaken) AND \(condition)", arguments)
    }

    func count(_ filter: JobFilter) throws -> Pruned {
        let (condition, arguments) = Self.condition(filter)
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT count(*) AS jobs, coalesce(sum((SELECT count(*) FROM results AS r
                    WHERE r.job_id = jobs.id AND r.state = 'saved')), 0) AS files
                FROM jobs WHERE \(condition)
                """,
            arguments: arguments
        )
        return row.map { Pruned(jobs: $0["jobs"], files: $0["files"]) } ?? Pruned()
    }

    func hasAny(_ filter: JobFilter) throws -> Bool {
        let (condition, arguments) = Self.condition(filter)
        return try Bool.fetchOne(
            db,
            sql: "SELECT EXISTS (SELECT 1 FROM jobs WHERE \(condition))",
            arguments: arguments
        ) ?? false
    }

    /// Of a job with a key that was paid for the row stays, without what it was about: the key is taken for ever.
    func remove(_ request: PruneRequest, now: Instant) throws -> Pruned {
        let (condition, arguments) = Self.condition(request.filter)
        let excluded =
            request.excluded.isEmpty
            ? "" : "AND jobs.id NOT IN (\(request.excluded.map { "\($0.rawValue)" }.sorted().joined(separator: ", ")))"
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT id, unique_key IS NOT NULL AND EXISTS (SELECT 1 FROM attempts AS a
                    WHERE a.job_id = jobs.id AND (a.charged_millicredits > 0
                        OR (a.state = 'accepted' AND a.error_code IS NULL))) AS keeps_key
                FROM jobs WHERE \(condition) \(excluded) ORDER BY finished_at LIMIT ?
                """,
            arguments: arguments + [request.limit]
        )
        var pruned = Pruned()
        for row in rows {
            let job = JobID(row["id"])
            do {
                var files = 0
                try db.inSavepoint {
                    files = try remove(job, keepsKey: row["keeps_key"], request, now)
                    return .commit
                }
                pruned.jobs += 1
                pruned.files += files
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                // Somebody's own rule, or row: it keeps this job, and no other.
                pruned.kept[job] = LedgerError(error).message
            }
        }
        return pruned
    }

    /// - Returns: how many files it had.
    private func remove(_ job: JobID, keepsKey: Bool, _ request: PruneRequest, _ now: Instant) throws -> Int {
        let id = job.rawValue
        let saved = try db.cachedStatement(sql: "SELECT path FROM results WHERE job_id = ? AND state = 'saved'")
        let files = try String.fetchAll(saved, arguments: [id])
        // As long as its results say whose they are.
        for file in files where request.removesFiles {
            try db
                .cachedStatement(sql: "INSERT INTO removals (path, job_id) VALUES (?, ?) ON CONFLICT DO NOTHING")
                .execute(arguments: [file, id])
        }
        if keepsKey {
            try db
                .cachedStatement(
                    sql: "UPDATE jobs SET pruned_at = ?, prompt = NULL, input = '{}', labels = NULL WHERE id = ?"
                )
                .execute(arguments: [now.milliseconds, id])
            try db.cachedStatement(sql: "DELETE FROM results WHERE job_id = ?").execute(arguments: [id])
        } else {
            try db.cachedStatement(sql: "DELETE FROM jobs WHERE id = ?").execute(arguments: [id])
        }
        // The request and its price stay; the prompt goes with the job.
        try db
            .cachedStatement(
                sql: """
                    UPDATE attempts SET input = NULL, result_json = NULL
                    WHERE job_id = ? AND (input IS NOT NULL OR result_json IS NOT NULL)
                    """
            )
            .execute(arguments: [id])
        return files.count
    }

    func removals(after path: String, limit: Int) throws -> [Removal] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT job_id, path FROM removals
                WHERE path > ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = removals.job_id AND pruned_at IS NULL)
                ORDER BY path LIMIT ?
                """,
            arguments: [path, limit]
        )
        .map { Removal(job: JobID($0["job_id"]), path: $0["path"]) }
    }

    func forget(_ removals: [Removal]) throws {
        for removal in removals {
            try db.cachedStatement(sql: "DELETE FROM removals WHERE path = ? AND job_id = ?")
                .execute(arguments: [removal.path, removal.job.rawValue])
        }
    }
}

extension SQLiteLedger: PruneStore {
    package func hasPrunable(_ filter: JobFilter) async throws(LedgerError) -> Bool {
        try await LedgerError.wrapping {
            try await self.pool.read { db in try JobPruning(db: db).hasAny(filter) }
        }
    }

    package func prune(_ request: PruneRequest, now: Instant) async throws(LedgerError) -> Pruned {
        try await commits.commit { db in try JobPruning(db: db).remove(request, now: now) }
    }

    package func removals(after path: String, limit: Int) async throws(LedgerError) -> [Removal] {
        try await LedgerError.wrapping {
            try await self.pool.read { db in try JobPruning(db: db).removals(after: path, limit: limit) }
        }
    }

    package func removed(_ removals: [Removal]) async throws(LedgerError) {
        try await commits.commit { db in try JobPruning(db: db).forget(removals) }
    }

    package func shrink(pages: Int) async throws(LedgerError) -> Int {
        try await LedgerError.wrapping {
            try await self.pool.writeWithoutTransaction { db in
                // Only a file that was made with auto_vacuum = INCREMENTAL can give pages back while it is in use.
                guard try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") == 2 else { return 0 }
                let before = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
                guard before > 0 else { return 0 }
                // Each row that it returns is a page.
                _ = try Row.fetchAll(db, sql: "PRAGMA incremental_vacuum(\(pages))")
                return before - (try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0)
            }
        }
    }
}

extension QueueFile {
    package func prune(_ request: PruneRequest, now: Instant) throws(LedgerError) -> Pruned {
        try write { db in try JobPruning(db: db).remove(request, now: now) }
    }

    package func prunable(_ filter: JobFilter) throws(LedgerError) -> Pruned {
        try read { db in try JobPruning(db: db).count(filter) }
    }

    package func removals(after path: String, limit: Int) throws(LedgerError) -> [Removal] {
        try read { db in try JobPruning(db: db).removals(after: path, limit: limit) }
    }

    package func removed(_ removals: [Removal]) throws(LedgerError) {
        try write { db in try JobPruning(db: db).forget(removals) }
    }
}
