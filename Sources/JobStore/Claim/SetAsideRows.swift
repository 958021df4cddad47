import GRDB
import PromptQueue

/// Jobs that the ledger could not handle: `set_aside`.
enum SetAsideRows {
    static func insert(_ job: JobID, _ reason: String, at now: Instant, _ db: Database) throws {
        try db.cachedStatement(
            sql: "INSERT INTO set_aside (job_id, reason, since) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        )
        .execute(arguments: [job.rawValue, BoundedText.message(reason), now.milliseconds])
    }

    /// Does something to one job; if the database refuses it, the job is set aside as it was.
    static func guarding(_ job: JobID, at now: Instant, _ db: Database, _ work: () throws -> Void) throws {
        do {
            try db.inSavepoint {
                try work()
                return .commit
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            try insert(job, LedgerError(error).message, at: now, db)
        }
    }

    /// Lets all of them be tried again.
    static func clear(_ db: Database) throws {
        try db.execute(sql: "DELETE FROM set_aside")
    }
}
