import GRDB
package import PromptQueue
import StateFiles
import Synchronization

extension SQLiteLedger {
    package func checkAge(marks paths: [String], now: Instant) async throws(LedgerError) -> AgeCheck {
        let marks = RequestMarks(paths, databaseID: databaseID)
        let (copy, mark) = try await commits.commit { db in
            try RestoredCopies(db: db).check(noted: marks.found, now: now)
        }
        let unwritten = marks.begin(mark)
        // Not before they are on disk: a database that expects marks is held without them.
        if unwritten.count < paths.count {
            try await commits.commit { db in try db.execute(sql: "UPDATE daemon SET has_marks = 1 WHERE has_marks = 0")
            }
        }
        self.marks.withLock { $0 = marks }
        return AgeCheck(copy: copy, problems: marks.problems + unwritten)
    }
}

/// What is known of the database's age, as rows.
struct RestoredCopies {
    let db: Database

    /// - Parameter noted: what was noted outside.
    /// - Returns: what is held, and what is noted from now on.
    func check(noted: [RequestMarks.Mark], now: Instant) throws -> (RestoredCopy?, RequestMarks.Mark) {
        let row = try Row.fetchOne(db, sql: "SELECT is_copy, has_marks, branch FROM daemon")
        let isCopy: Bool = row?["is_copy"] ?? false
        let expectsMarks: Bool = row?["has_marks"] ?? false
        let branch: String? = row?["branch"]
        let known = try lastNumber(of: "attempts")
        let isBehind = noted.contains { $0.attempt > known }
        let isOtherBranch = noted.contains { $0.branch != branch }
        if isCopy || isBehind || isOtherBranch || (expectsMarks && noted.isEmpty) {
            let missing = noted.filter { $0.attempt > known }.map { $0.attempt - known }.max()
            try hold(missing, now)
        }
        if branch == nil {
            try db.execute(sql: "UPDATE daemon SET branch = lower(hex(randomblob(8))) WHERE branch IS NULL")
        }
        // Numbers that are missing are not given again: they are in logs, outside, and in the names of files.
        try raise("attempts", to: noted.map(\.attempt).max())
        try raise("jobs", to: noted.map(\.job).max())
        let copy = try current()
        if let copy {
            try db.execute(
                sql: "INSERT OR REPLACE INTO gates (name, queue, closed_at, message) VALUES (?, '', ?, ?)",
                arguments: [
                    BlockReason.restored.rawValue, copy.since.milliseconds, "\(copy.text); \(Advice.lookAtRestored)",
                ]
            )
        }
        return (
            copy,
            RequestMarks.Mark(
                branch: try String.fetchOne(db, sql: "SELECT branch FROM daemon") ?? "",
                attempt: try lastNumber(of: "attempts"),
                job: try Int64.fetchOne(db, sql: "SELECT max(job_id) FROM attempts") ?? 0
            )
        )
    }

    /// - Parameter missing: how many requests the copy does not know of; nil if nobody can tell.
    private func hold(_ missing: Int64?, _ now: Instant) throws {
        try db.execute(
            sql: """
                UPDATE daemon SET restored_at = ?, restored_requests = coalesce(?, restored_requests),
                    restored_job_id = coalesce(restored_job_id, ?), is_copy = 0,
                    branch = lower(hex(randomblob(8)))
                """,
            arguments: [now.milliseconds, missing, try lastNumber(of: "jobs")]
        )
        // What was under way may have been tried again, and paid for, since: by itself it is not tried once more.
        try db.execute(
            sql: """
                UPDATE jobs SET max_attempts = max(1, min(max_attempts, attempt_count))
                WHERE state IN ('submitting', 'running', 'unconfirmed')
                """
        )
    }

    /// For a copy that is about to take the database's place: what is inserted from now on is no part of it.
    func mark(noted: RequestMarks.Mark?) throws {
        let missing = try noted.map { $0.attempt - (try lastNumber(of: "attempts")) }
        try db.execute(
            sql: "UPDATE daemon SET is_copy = 1, restored_job_id = ?, restored_requests = ?",
            arguments: [try lastNumber(of: "jobs"), missing.flatMap { $0 > 0 ? $0 : nil }]
        )
        try raise("attempts", to: noted?.attempt)
        try raise("jobs", to: noted?.job)
    }

    func current() throws -> RestoredCopy? {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT restored_at, restored_requests, restored_job_id FROM daemon WHERE restored_at IS NOT NULL"
            )
        )
        return row.map { row in
            RestoredCopy(
                since: Instant(milliseconds: row["restored_at"]),
                requests: row["restored_requests"],
                lastJob: JobID(row["restored_job_id"] ?? 0)
            )
        }
    }

    /// Whether it is a copy that promptd has not been started on yet.
    func isUnnoticed() throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT is_copy = 1 AND restored_at IS NULL FROM daemon") ?? false
    }

    func release() throws {
        try db.execute(sql: "UPDATE daemon SET restored_at = NULL, restored_requests = NULL, restored_job_id = NULL")
        try db.execute(sql: "DELETE FROM gates WHERE name = ?", arguments: [BlockReason.restored.rawValue])
    }

    private func lastNumber(of table: String) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = ?", arguments: [table]) ?? 0
    }

    private func raise(_ table: String, to number: Int64?) throws {
        guard let number, number > (try lastNumber(of: table)) else { return }
        try db.execute(sql: "UPDATE sqlite_sequence SET seq = ? WHERE name = ?", arguments: [number, table])
        guard db.changesCount == 0 else { return }
        try db.execute(sql: "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", arguments: [table, number])
    }
}
