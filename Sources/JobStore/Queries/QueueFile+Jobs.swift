import GRDB
package import PromptQueue

/// A job with everything that is known of it.
package struct JobDetails: Sendable {
    package let job: JobRecord
    package let attempts: [AttemptRecord]
    package let results: [ResultRecord]
}

extension QueueFile {
    /// Newest first, at most `limit`, each given to `body` as it is read.
    package func forEachJob(
        matching filter: JobFilter,
        limit: Int,
        _ body: (JobRecord) throws -> Void
    ) throws(LedgerError) {
        try read { db in
            let (condition, arguments) = filter.condition
            let rows = try Row.fetchCursor(
                db,
                sql: "SELECT \(JobRecord.selection) FROM jobs WHERE \(condition) ORDER BY jobs.id DESC LIMIT \(limit)",
                arguments: arguments
            )
            while let row = try rows.next() { try body(JobRecord(row)) }
        }
    }

    /// How many jobs there are beyond those that a list shows.
    package func count(matching filter: JobFilter) throws(LedgerError) -> Int {
        try read { db in
            let (condition, arguments) = filter.condition
            return try Int.fetchOne(db, sql: "SELECT count(*) FROM jobs WHERE \(condition)", arguments: arguments) ?? 0
        }
    }

    /// `nil` if there is no such job.
    package func details(of id: JobID) throws(LedgerError) -> JobDetails? {
        try read { db in
            let row = try Row.fetchOne(
                db,
                sql: "SELECT \(JobRecord.selection) FROM jobs WHERE id = ?",
                arguments: [id.rawValue]
            )
            guard let row else { return nil }
            return JobDetails(
                job: try JobRecord(row),
                attempts: try Row
                    .fetchAll(db, sql: "SELECT * FROM attempts WHERE job_id = ? ORDER BY id", arguments: [id.rawValue])
                    .map(AttemptRecord.init),
                results: try Row
                    .fetchAll(db, sql: "SELECT * FROM results WHERE job_id = ? ORDER BY ordinal", arguments: [id.rawValue])
                    .map(ResultRecord.init)
            )
        }
    }

    /// The newest id; 0 if there was never a job.
    package func lastID() throws(LedgerError) -> Int64 {
        try read { db in try Int64.fetchOne(db, sql: "SELECT max(id) FROM jobs") ?? 0 }
    }
}
