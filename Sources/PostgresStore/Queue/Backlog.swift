import Postgres
import PromptQueue

/// What waits in the queues, and what it will cost.
enum Backlog {
    /// A share of the sample for each queue in which jobs wait.
    static func samples(
        of queues: [QueueRecord],
        sample: Int,
        _ connection: BlockingConnection
    ) throws -> [BacklogSample] {
        let waiting = queues.map { ($0.name, jobs: $0.counts[.queued] ?? 0) }.filter { $0.jobs > 0 }
        let shares = BacklogSample.shares(of: sample, among: waiting.map(\.jobs))
        let rows = try connection.pipeline { pipeline in
            for (queue, share) in zip(waiting, shares) {
                pipeline.add(jobs, [.text(queue.0), .int(Int64(share))])
            }
        }
        return try zip(waiting, rows).map { try BacklogSample(queue: $0.0, jobs: $0.jobs, $1) }
    }

    /// Of one queue, due, scheduled or waiting: whoever resumes it is told what all of them cost. An estimate is firm if it is by the
    /// catalogue's price, and neither the operator nor the provider has said anything of the model since. The prompt is that of the first. Read
    /// by jobs_listed alone (`JobCandidates`).
    private static let jobs: SQL = """
        SELECT g.model, g.is_firm, g.jobs, g.estimated, g.first, f.prompt, f.input::text
        FROM (
            SELECT model, is_firm, input, count(*) AS jobs, sum(estimated) AS estimated, min(id) AS first
            FROM (
                SELECT s.id, s.model, w.is_firm, CASE WHEN NOT w.is_firm THEN s.input::text COLLATE "C" END AS input,
                    CASE WHEN w.is_firm THEN s.estimated_millicredits ELSE 0 END AS estimated
                FROM (SELECT * FROM jobs WHERE queue = ANY (ARRAY[$1]) AND state = 'queued'
                    ORDER BY queue, id LIMIT $2) AS s CROSS JOIN LATERAL (
                    SELECT s.estimate_basis IS NOT DISTINCT FROM 'listed'
                        AND NOT EXISTS (SELECT FROM prices AS p WHERE p.model = s.model)
                        AND NOT EXISTS (SELECT FROM provider_models AS p WHERE p.model = s.model AND p.read_at > s.created_at)
                        AS is_firm) AS w) AS sampled
            GROUP BY model, is_firm, input) AS g JOIN jobs AS f ON f.id = g.first
        ORDER BY g.model, g.is_firm, g.input NULLS FIRST
        """
}

extension BacklogSample {
    fileprivate init(queue: String, jobs: Int, _ rows: PostgresRows) throws {
        self.init(queue: queue, jobs: jobs)
        for row in rows {
            let (model, jobs): (String, Int) = (try row[0], try row[2])
            sampled += jobs
            models[model, default: 0] += jobs
            if try row[1] {
                estimated += Credits(millicredits: try row[3])
            } else {
                let first = QueuedJob(
                    id: JobID(try row[4]),
                    queue: queue,
                    model: model,
                    prompt: try row[5],
                    input: try row[6],
                    allowsUnknownFields: true
                )
                unpriced.append(UnpricedJobs(first: first, jobs: jobs))
            }
        }
    }
}
