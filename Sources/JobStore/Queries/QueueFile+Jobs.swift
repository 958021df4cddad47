import GRDB
package import PromptQueue

/// A job with everything that is known of it.
package struct JobDetails: Sendable {
    package let job: JobRecord
    package let attempts: [AttemptRecord]
    package let results: [ResultRecord]
    /// As the daemon keeps them.
    package let rules: AccountRules
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
                attempts:
                    try Row
                    .fetchAll(db, sql: "SELECT * FROM attempts WHERE job_id = ? ORDER BY id", arguments: [id.rawValue])
                    .map(AttemptRecord.init),
                results:
                    try Row
                    .fetchAll(
                        db,
                        sql: "SELECT * FROM results WHERE job_id = ? ORDER BY ordinal",
                        arguments: [id.rawValue]
                    )
                    .map(ResultRecord.init),
                rules: try Row.fetchOne(db, sql: "SELECT * FROM daemon").map(AccountRules.init(daemon:))
                    ?? AccountRules()
            )
        }
    }
}
