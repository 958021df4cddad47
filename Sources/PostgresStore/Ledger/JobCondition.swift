import Postgres
import PromptQueue

/// A filter as a condition for a WHERE clause over `jobs`, with what it is bound to. Each value is a parameter; what is not asked for is
/// NULL, so that the text is always the same.
enum JobCondition {
    static let sql = """
        ($1::text[] IS NULL OR jobs.state = ANY ($1)) AND ($2::text IS NULL OR jobs.queue = $2)
            AND ($3::text IS NULL OR jobs.batch = $3) AND ($4::text IS NULL OR jobs.model = $4)
            AND ($5::text IS NULL OR jobs.error_code = $5) AND ($6::text IS NULL OR jobs.unique_key = $6)
            AND ($7::bigint IS NULL OR jobs.created_at >= $7) AND ($8::bigint IS NULL OR jobs.finished_at < $8)
            AND (NOT $9::boolean OR EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = jobs.id AND a.state = 'unknown'
                AND a.finished_at IS NULL AND a.evidence_charged = 0 AND a.hinted_task_id IS NULL))
            AND ($10::json IS NULL OR NOT EXISTS (SELECT 1 FROM json_each_text($10) AS l (name, value)
                -- true is 1 as well, as for budgets. What is no text of Unicode's in one job keeps nobody from finding others.
                WHERE (l.value = readable(jobs.labels) ->> l.name
                    OR l.value = CASE (readable(jobs.labels) -> l.name)::text WHEN 'true' THEN '1' WHEN 'false' THEN '0' END) IS NOT TRUE))
        """

    /// How many parameters it has; what follows it begins behind them.
    static let count = 10

    static func arguments(_ filter: JobFilter) -> [PostgresValue] {
        let labels = filter.labels.mapValues { JSONValue.string($0) }
        return [
            filter.states.isEmpty ? .null : .texts(filter.states.map(\.rawValue).sorted()), .text(filter.queue),
            .text(filter.batch), .text(filter.model), .text(filter.errorCode), .text(filter.uniqueKey),
            .int(filter.createdSince?.milliseconds), .int(filter.finishedBefore?.milliseconds),
            .bool(filter.isUncharged), labels.isEmpty ? .null : .text(JSONValue.object(labels).json),
        ]
    }
}
