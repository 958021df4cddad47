import GRDB
package import PromptQueue
import Synchronization

extension SQLiteLedger {
    package func checkAge(marks paths: [String], now: Instant) async throws(LedgerError) -> RestoredCopy? {
        let marks = RequestMarks(paths, databaseID: databaseID)
        let (copy, last) = try await commits.commit { db in
            try RestoredCopies(db: db).check(noted: marks.found, canNote: !marks.isEmpty, now: now)
        }
        marks.note(last)
        self.marks.withLock { $0 = marks }
        return copy
    }
}

/// What is known of the database's age, as rows.
struct RestoredCopies {
    let db: Database

    /// - Parameters:
    ///   - noted: the number of the last request, as it was noted outside.
    ///   - canNote: whether it can be noted there.
    /// - Returns: what is held, and the number from which requests are counted on.
    func check(noted: Int64?, canNote: Bool, now: Instant) throws -> (RestoredCopy?, Int64) {
        let known = try lastNumber(of: "attempts")
        let row = try Row.fetchOne(db, sql: "SELECT is_copy, has_marks FROM daemon")
        let isCopy: Bool = row?["is_copy"] ?? false
        let hasMarks: Bool = row?["has_marks"] ?? false
        let missing = noted.map { max(0, $0 - known) }
        if isCopy || (missing ?? 0) > 0 || (hasMarks && noted == nil && canNote) {
            try db.execute(
                sql: """
                    UPDATE daemon SET restored_at = ?, restored_requests = ?, restored_job_id = ?, is_copy = 0,
                        has_marks = 1
                    """,
                arguments: [now.milliseconds, missing, try lastNumber(of: "jobs")]
            )
            // Numbers of requests that are missing are not given again: they are in logs, and outside.
            if let noted, noted > known {
                try db.execute(sql: "UPDATE sqlite_sequence SET seq = ? WHERE name = 'attempts'", arguments: [noted])
                if db.changesCount == 0 {
                    try db.execute(
                        sql: "INSERT INTO sqlite_sequence (name, seq) VALUES ('attempts', ?)",
                        arguments: [noted]
                    )
                }
            }
        } else if canNote, !hasMarks {
            try db.execute(sql: "UPDATE daemon SET has_marks = 1")
        }
        let copy = try current()
        if let copy {
            try db.execute(
                sql: "INSERT OR REPLACE INTO gates (name, queue, closed_at, message) VALUES (?, '', ?, ?)",
                arguments: [
                    BlockReason.restored.rawValue, copy.since.milliseconds, "\(copy.text); \(Advice.lookAtRestored)",
                ]
            )
        }
        return (copy, max(known, noted ?? 0))
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

    func release() throws {
        try db.execute(sql: "UPDATE daemon SET restored_at = NULL, restored_requests = NULL, restored_job_id = NULL")
        try db.execute(sql: "DELETE FROM gates WHERE name = ?", arguments: [BlockReason.restored.rawValue])
    }

    private func lastNumber(of table: String) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = ?", arguments: [table]) ?? 0
    }
}
