import FoundationEssentials
import GRDB
import PromptQueue

// Each question is one seek in an index: `turns_waiting`, `queues`' key, `jobs_claim`.
extension ClaimTransaction {
    /// Whether a queue is the account's. One that is not in `queues` is nobody's.
    private static let isOurs =
        "(SELECT coalesce(q.account, 'default') FROM queues AS q WHERE q.name = turns.queue) = ?2"

    func highestPriority(below priority: Int64?) throws -> Int64? {
        try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT priority FROM turns WHERE waiting > 0 AND priority < ?1 AND \(Self.isOurs)
                    ORDER BY priority DESC LIMIT 1
                    """
            ),
            arguments: [priority ?? .max, account.rawValue]
        )
    }

    func nextQueue(after name: ExactText?, at priority: Int64) throws -> ExactText? {
        try String.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT queue FROM turns WHERE waiting > 0 AND priority = ?1 AND queue > ?3 AND \(Self.isOurs)
                    ORDER BY queue LIMIT 1
                    """
            ),
            arguments: [priority, account.rawValue, name?.text ?? ""]
        )
        .map { ExactText($0) }
        // A name that is not UTF-8 reads otherwise than it sorts: never go in circles.
        .flatMap { next in name.map { next > $0 } ?? true ? next : nil }
    }

    func places(of queue: ExactText) throws -> QueuePlaces {
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
            arguments: [queue.text]
        )
        guard let row, row[0] == 0 else { return .paused }
        guard let maximum = row[1] as Int? else { return .unlimited }
        return .limited(maximum - row[2])
    }

    func models(of queue: ExactText) throws -> [String] {
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

    func jobs(
        of lane: ClaimLane,
        limit: Int,
        after position: ClaimPosition?,
        withoutBudgets budgets: Set<ExactText>
    ) throws -> [ClaimCandidate] {
        while true {
            // Those that have to wait for a file again leave the index, and others take their places.
            if let jobs = try nextJobs(of: lane, limit: limit, after: position, withoutBudgets: budgets) { return jobs }
        }
    }

    /// - Returns: nil if one of them turned out to wait for a file.
    private func nextJobs(
        of lane: ClaimLane,
        limit: Int,
        after position: ClaimPosition?,
        withoutBudgets budgets: Set<ExactText>
    ) throws -> [ClaimCandidate]? {
        let columns = "id, prompt, input, priority, turn, attempt_count, max_attempts, batch, allow_unknown, waits"
        let queued = """
            SELECT \(columns) FROM jobs
            WHERE state = 'queued' AND turn IS NOT NULL AND queue = :queue AND model = :model AND priority = :priority
                AND turn >= :turn AND (turn > :turn OR id > :id) AND id NOT IN (SELECT job_id FROM set_aside)
            ORDER BY turn, id LIMIT :limit
            """
        var arguments: StatementArguments = [
            "queue": lane.queue.text, "model": lane.model, "priority": lane.priority,
            "turn": position?.turn ?? .min, "id": position?.id.rawValue ?? .min,
        ]
        let sql: String
        if budgets.isEmpty {
            sql = queued
            arguments += ["limit": limit]
        } else {
            sql = """
                SELECT \(columns) FROM (\(queued)) AS j
                WHERE NOT EXISTS (SELECT 1 FROM budget_jobs AS b WHERE b.job_id = j.id
                    AND (b.account IS NULL OR b.account = :account)
                    AND b.budget IN (SELECT value FROM json_each(:budgets)))
                LIMIT :found
                """
            let names = JSONValue.array(budgets.map { .string($0.text) })
            arguments += [
                "limit": ClaimPlan.depth, "budgets": names.json, "found": limit, "account": account.rawValue,
            ]
        }
        let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
        var jobs: [ClaimCandidate] = []
        // Columns by their place: to look names up costs more than to read them.
        while let row = try rows.next() {
            let id = JobID(row[0])
            // NULL: it takes nothing.
            guard let sources = row[9] as Int64? == nil ? [] : try sources(of: id) else { return nil }
            jobs.append(
                ClaimCandidate(
                    id: id,
                    job: Self.job(
                        id,
                        lane,
                        batch: row[7],
                        prompt: row[1],
                        input: row[2],
                        allowsUnknownFields: row[8],
                        sources: sources
                    ),
                    priority: row[3],
                    turn: row[4],
                    attemptCount: row[5],
                    maxAttempts: row[6]
                )
            )
        }
        return jobs
    }

    /// Texts are read as bytes: SQLite's may hold what is not UTF-8, which a `String` would silently repair.
    private static func job(
        _ id: JobID,
        _ lane: ClaimLane,
        batch: String?,
        prompt: Data?,
        input: Data,
        allowsUnknownFields: Bool,
        sources: [ResultSource]
    ) -> QueuedJob? {
        guard let input = String(validating: input, as: UTF8.self) else { return nil }
        var text: String?
        if let prompt {
            guard let valid = String(validating: prompt, as: UTF8.self) else { return nil }
            text = valid
        }
        return QueuedJob(
            id: id,
            queue: lane.queue.text,
            batch: batch,
            model: lane.model,
            prompt: text,
            input: input,
            allowsUnknownFields: allowsUnknownFields,
            sources: sources
        )
    }

    /// What a job takes from others: by now they have succeeded, but some may be gone; and from this machine.
    ///
    /// - Returns: nil if it waits for a file that has to be uploaded anew: the provider may have deleted a result.
    private func sources(of job: JobID) throws -> [ResultSource]? {
        var sources: [ResultSource] = []
        let results = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT i.reference, i.source_id, i.ordinal, r.url, r.created_at, r.state, f.url AS uploaded
                    FROM job_inputs AS i
                        LEFT JOIN jobs AS s ON s.id = i.source_id AND s.state = 'succeeded' AND s.pruned_at IS NULL
                        LEFT JOIN results AS r ON r.job_id = s.id AND r.ordinal = i.ordinal
                        LEFT JOIN job_uploads AS u ON u.job_id = i.job_id
                            AND u.reference = 'result:' || i.source_id || '/' || i.ordinal
                        LEFT JOIN uploads AS f ON f.reference = u.reference AND f.state = 'ready'
                    WHERE i.job_id = ? ORDER BY i.reference
                    """
            ),
            arguments: [job.rawValue]
        )
        for row in results {
            let reference: String = row[0]
            if let uploaded: String = row["uploaded"] {
                sources.append(ResultSource(reference: reference, url: uploaded))
                continue
            }
            let source = ResultSource(
                reference: reference,
                job: JobID(row[1]),
                ordinal: row[2],
                url: row[3],
                createdAt: row.instant("created_at"),
                now: request.now
            )
            if source.standing == .expired, row["state"] as String? == ResultState.saved.rawValue {
                try db.cachedStatement(
                    sql: "INSERT INTO job_uploads (job_id, reference) VALUES (?, ?) ON CONFLICT DO NOTHING"
                )
                .execute(arguments: [job.rawValue, "result:\(row[1] as Int64)/\(row[2] as Int64)"])
                let waits = try Int64.fetchOne(
                    db.cachedStatement(sql: "SELECT waits FROM jobs WHERE id = ?"),
                    arguments: [job.rawValue]
                )
                if waits ?? 0 > 0 { return nil }
            }
            sources.append(source)
        }
        let files = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT u.reference, f.url FROM job_uploads AS u
                        LEFT JOIN uploads AS f ON f.reference = u.reference AND f.state = 'ready'
                    WHERE u.job_id = ? AND u.reference NOT GLOB 'result:*' ORDER BY u.reference
                    """
            ),
            arguments: [job.rawValue]
        )
        return sources + files.map { ResultSource(reference: $0[0], url: $0[1]) }
    }
}
