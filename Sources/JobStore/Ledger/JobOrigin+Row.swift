import GRDB
import PromptQueue

extension JobOrigin {
    /// From columns `queue` and `batch`.
    init(row: Row) {
        self.init(queue: row["queue"] ?? "", batch: row["batch"])
    }

    /// - Returns: nil if the job's row is gone.
    static func read(_ job: JobID, _ db: Database) throws -> JobOrigin? {
        try Row
            .fetchOne(
                db.cachedStatement(sql: "SELECT queue, batch FROM jobs WHERE id = ?"),
                arguments: [job.rawValue]
            )
            .map(JobOrigin.init(row:))
    }
}
