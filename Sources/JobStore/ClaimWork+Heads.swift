import GRDB
import PromptQueue

/// The jobs of one queue and model that are next, fetched and not yet taken.
struct ClaimHead {
    struct Candidate {
        var job: QueuedJob
        var priority: Int64
        var turn: Int64
        var attemptCount: Int
        var maxAttempts: Int
    }

    var queue: String
    var model: String
    /// Whether at most one job is wanted, to find out whether the model is on again.
    var isProbe = false
    var jobs: ArraySlice<Candidate> = []
    /// Whether the database may hold more jobs behind these.
    var mayHaveMore = true
    /// Jobs that were looked past: they are still queued, in front of those to be fetched.
    var skipped = 0
}

extension ClaimWork {
    /// A head for each open queue and model with jobs that are due.
    mutating func openHeads(_ db: Database) throws -> [ClaimHead] {
        var heads: [ClaimHead] = []
        for queue in try openQueues(db) {
            for model in try models(of: queue, db) where !request.closedModels.contains(model) {
                heads.append(ClaimHead(queue: queue, model: model, isProbe: request.probedModels.contains(model)))
            }
        }
        return heads
    }

    private mutating func openQueues(_ db: Database) throws -> [String] {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT q.name, q.max_running, (
                        SELECT coalesce(sum(r.jobs), 0) FROM queue_counts AS r
                        WHERE r.queue = q.name AND r.state IN ('submitting', 'running')) AS running
                    FROM queues AS q JOIN queue_counts AS c ON c.queue = q.name AND c.state = 'queued'
                    WHERE NOT q.paused AND c.jobs > 0
                    """
            )
        )
        return rows.compactMap { row in
            let name: String = row["name"]
            guard let maximum = row["max_running"] as Int? else { return name }
            let room = maximum - row["running"]
            guard room > 0 else {
                claim.waitsForPlace = true
                return nil
            }
            rooms[name] = room
            return name
        }
    }

    /// The models of a queue's due jobs, by one seek each.
    private func models(of queue: String, _ db: Database) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(
                sql: """
                    WITH RECURSIVE models(model) AS (
                        SELECT min(model) FROM jobs WHERE state = 'queued' AND turn IS NOT NULL AND queue = :queue
                        UNION ALL
                        SELECT (SELECT min(j.model) FROM jobs AS j WHERE j.state = 'queued' AND j.turn IS NOT NULL
                            AND j.queue = :queue AND j.model > models.model)
                        FROM models WHERE models.model IS NOT NULL)
                    SELECT model FROM models WHERE model IS NOT NULL
                    """
            ),
            arguments: ["queue": queue]
        )
    }

    /// Fetches the next jobs of a head. What was taken or refused has left the index; what was looked past has not.
    func fill(_ head: inout ClaimHead, count: Int, _ db: Database) throws {
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT id, prompt, input, priority, turn, attempt_count, max_attempts FROM jobs
                    WHERE state = 'queued' AND turn IS NOT NULL AND queue = ? AND model = ?
                    ORDER BY priority DESC, turn, id LIMIT ? OFFSET ?
                    """
            ),
            arguments: [head.queue, head.model, count, head.skipped]
        )
        var jobs: [ClaimHead.Candidate] = []
        // Columns by their place: to look names up costs more than to read them.
        while let row = try rows.next() {
            let job = QueuedJob(id: JobID(row[0]), queue: head.queue, model: head.model, prompt: row[1], input: row[2])
            jobs.append(
                ClaimHead.Candidate(
                    job: job,
                    priority: row[3],
                    turn: row[4],
                    attemptCount: row[5],
                    maxAttempts: row[6]
                )
            )
        }
        head.mayHaveMore = jobs.count == count
        head.jobs = ArraySlice(jobs)
    }
}
