import Postgres
import PromptQueue

/// The jobs that a filter asks for, for what changes them.
enum MatchingJobs {
    /// - Parameters:
    ///   - condition: what they must hold to besides, a condition on `jobs` without parameters.
    ///   - isLocking: whether nobody else changes them until the transaction ends. Those that somebody is changing are waited for.
    /// - Returns: the oldest first.
    static func ids(
        _ filter: JobFilter,
        _ connection: BlockingConnection,
        and condition: String = "true",
        isLocking: Bool = false
    ) throws -> [JobID] {
        guard !filter.isImpossible else { return [] }
        // Put together anew each time, so that the server plans it for what is asked for, and by an index.
        let sql = SQL(
            pasted: """
                SELECT jobs.id\(filter.words.isEmpty ? "" : ", jobs.prompt") FROM jobs
                WHERE \(condition) AND \(JobCondition.sql)
                ORDER BY jobs.id \(isLocking ? "FOR NO KEY UPDATE OF jobs" : "")
                """
        )
        let rows = try connection.query(sql, JobCondition.arguments(filter))
        guard !filter.words.isEmpty else { return try rows.map { JobID(try $0[0]) } }
        let words = PromptWords(filter.words)
        return try rows.compactMap { row in
            guard let prompt: String = try row[1], words.match(prompt) else { return nil }
            return JobID(try row[0])
        }
    }
}
