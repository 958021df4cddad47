import GRDB
import PromptQueue

// Tasks that were settled, and are asked about once more: they had failed and their jobs are tried again, or somebody has
// settled them by SQL.
extension RecordWork {
    /// Whether the task of a settled attempt is asked about again: its job runs on it, and nothing came of it yet.
    func isAskedAgain(_ attempt: AttemptID) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (SELECT 1 FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id
                        WHERE a.id = ? AND a.state = 'accepted' AND a.finished_at IS NOT NULL
                            AND j.state = 'running' AND j.task_id = a.task_id
                            AND NOT EXISTS (SELECT 1 FROM results AS r WHERE r.job_id = j.id)
                            AND NOT EXISTS (SELECT 1 FROM attempts AS o
                                WHERE o.job_id = j.id AND o.finished_at IS NULL))
                    """
            ),
            arguments: [attempt.rawValue]
        ) ?? false
    }

    /// The job of an attempt that was settled before, and whose task is asked about again; nil if it is not.
    func askedAgain(_ attempt: AttemptID) throws -> (job: JobID, wasFailed: Bool)? {
        guard try isAskedAgain(attempt), let job = try job(of: attempt) else { return nil }
        let wasFailed = try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT error_code IS NOT NULL FROM attempts WHERE id = ?"),
            arguments: [attempt.rawValue]
        )
        return (job.id, wasFailed ?? false)
    }
}
