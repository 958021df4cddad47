import FoundationEssentials
import GRDB
import PromptQueue

/// The jobs of one queue and model that are next, fetched and not yet taken.
struct ClaimHead {
    struct Candidate {
        var id: JobID
        /// Nil if a text of it is no UTF-8.
        var job: QueuedJob?
        var priority: Int64
        var turn: Int64
        var attemptCount: Int
        var maxAttempts: Int
    }

    var queue: ExactText
    var model: String
    var priority: Int64
    /// Whether at most one job is wanted, to find out whether the model is on again.
    var isProbe = false
    var jobs: ArraySlice<Candidate> = []
    /// Whether the database may hold more jobs behind these.
    var mayHaveMore = true
    /// Jobs that are still queued, in front of those to be fetched.
    var passed = 0
    /// Of those, jobs that were skipped because of a budget.
    var skipped = 0
    /// How many to fetch next: the first of each queue is often all that is wanted.
    var fetchCount = 1

    /// By turn, then age.
    var order: (Int64, Int64) { (jobs.first?.turn ?? .max, jobs.first?.id.rawValue ?? .max) }
}

/// A queue whose turn it is, with what it has of one priority.
struct QueueHeads {
    var queue: ExactText
    var heads: [ClaimHead]
}

extension ClaimWork {
    /// The highest priority of waiting jobs, below another.
    func highestPriority(below priority: Int64?, _ db: Database) throws -> Int64? {
        try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT priority FROM turns WHERE waiting > 0 AND priority < ? ORDER BY priority DESC LIMIT 1
                    """
            ),
            arguments: [priority ?? .max]
        )
    }

    /// The next queue by name that has jobs of a priority waiting.
    func nextQueue(after name: ExactText?, at priority: Int64, _ db: Database) throws -> ExactText? {
        try String.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT queue FROM turns WHERE waiting > 0 AND priority = ? AND queue > ?
                    ORDER BY queue LIMIT 1
                    """
            ),
            arguments: [priority, name?.text ?? ""]
        )
        .map { ExactText($0) }
        // A name that is no UTF-8 reads otherwise than it sorts: never go in circles.
        .flatMap { next in name.map { next > $0 } ?? true ? next : nil }
    }

    /// Whether jobs of a queue may be taken now.
    mutating func open(_ name: ExactText, _ db: Database) throws -> Bool {
        if let room = rooms[name] { return room > 0 }
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT paused, max_running, CASE WHEN max_running IS NULL THEN 0 ELSE (
                        SELECT coalesce(sum(r.jobs), 0) FROM queue_counts AS r
                        WHERE r.queue = q.name AND r.state IN ('submitting', 'running'))
                        - (SELECT count(DISTINCT j.id) FROM suspects AS s JOIN jobs AS j ON j.id = s.job_id
                            WHERE s.step = 'poll' AND s.is_aside = 1 AND j.queue = q.name AND j.state = 'running') END
                    FROM queues AS q WHERE q.name = ?
                    """
            ),
            arguments: [name.text]
        )
        guard let row, row[0] == 0 else { return false }
        guard let maximum = row[1] as Int? else { return true }
        let room = maximum - row[2]
        rooms[name] = room
        if room <= 0 { claim.waitsForPlace = true }
        return room > 0
    }

    /// A head for each model of a queue that is on and has jobs of a priority waiting.
    mutating func heads(of queue: ExactText, at priority: Int64, _ db: Database) throws -> [ClaimHead] {
        var heads: [ClaimHead] = []
        for model in try models(of: queue, db) where !request.closedModels.contains(model) {
            let isProbe = request.probedModels.contains(model)
            if isProbe,
                claim.jobs.contains(where: { $0.model == model }) || missing.contains(where: { $0.model == model })
            {
                continue
            }
            heads.append(ClaimHead(queue: queue, model: model, priority: priority, isProbe: isProbe))
        }
        return heads
    }

    /// Whether anything could be claimed if there were room.
    mutating func hasOpenJob(_ db: Database) throws -> Bool {
        var priority = try highestPriority(below: nil, db)
        while let level = priority {
            var name = try nextQueue(after: nil, at: level, db)
            while let queue = name {
                if try open(queue, db), try !heads(of: queue, at: level, db).isEmpty { return true }
                name = try nextQueue(after: queue, at: level, db)
            }
            priority = try highestPriority(below: level, db)
        }
        return false
    }

    /// The models of a queue's due jobs, by one seek each.
    private func models(of queue: ExactText, _ db: Database) throws -> [String] {
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
            arguments: ["queue": queue.text]
        )
    }

    /// Fetches the next jobs of a head. What was taken or refused has left the index; what was passed has not.
    func fill(_ head: inout ClaimHead, _ db: Database) throws {
        let count = head.fetchCount
        head.fetchCount = min(head.fetchCount * 8, 256)
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT id, prompt, input, priority, turn, attempt_count, max_attempts FROM jobs
                    WHERE state = 'queued' AND turn IS NOT NULL AND queue = ? AND model = ? AND priority = ?
                        AND id NOT IN (SELECT job_id FROM set_aside)
                    ORDER BY turn, id LIMIT ? OFFSET ?
                    """
            ),
            arguments: [head.queue.text, head.model, head.priority, count, head.passed]
        )
        var jobs: [ClaimHead.Candidate] = []
        // Columns by their place: to look names up costs more than to read them.
        while let row = try rows.next() {
            let id = JobID(row[0])
            jobs.append(
                ClaimHead.Candidate(
                    id: id,
                    job: Self.job(id, head, prompt: row[1], input: row[2]),
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

    /// Texts are read as bytes: SQLite's may hold what is no UTF-8, which a `String` would silently repair.
    private static func job(_ id: JobID, _ head: ClaimHead, prompt: Data?, input: Data) -> QueuedJob? {
        guard let input = String(validating: input, as: UTF8.self) else { return nil }
        var text: String?
        if let prompt {
            guard let valid = String(validating: prompt, as: UTF8.self) else { return nil }
            text = valid
        }
        return QueuedJob(id: id, queue: head.queue.text, model: head.model, prompt: text, input: input)
    }
}

extension QueuedJob {
    /// Whether nothing of it has changed, byte by byte.
    func isSame(as other: QueuedJob) -> Bool {
        id == other.id && ExactText(model) == ExactText(other.model) && ExactText(input) == ExactText(other.input)
            && prompt.map { ExactText($0) } == other.prompt.map { ExactText($0) }
    }
}

extension Refusal {
    static let notUTF8 = Refusal(
        code: .invalidInput,
        problems: [InputProblem(field: "prompt", kind: .wrongType, message: "it or the input is not valid UTF-8")]
    )
}
