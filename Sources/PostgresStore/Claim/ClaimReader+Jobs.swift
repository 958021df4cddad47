import FoundationEssentials
import Postgres
import PromptQueue

extension ClaimReader {
    /// The next jobs of a lane.
    struct Page {
        var jobs: [ClaimCandidate] = []
        var dueAt: [JobID: Instant] = [:]
        var isAll = true
    }

    /// The next jobs of each lane behind a position, at most so many of each.
    func candidates(
        _ lanes: [(lane: ClaimLane, after: ClaimPosition?)],
        most: Int,
        without budgets: Set<ExactText>
    ) async throws -> [Page] {
        let excluded: PostgresValue = budgets.isEmpty ? .null : .texts(budgets.map(\.text).sorted())
        while true {
            let found = try await transaction.pipeline { pipeline in
                for (lane, position) in lanes {
                    pipeline.add(
                        """
                        SELECT id, turn, batch, prompt, input, allow_unknown, waits, attempt_count, max_attempts, due_at
                        FROM claim_candidates($1, $2, $3, $4, $5, $6, $7, $8, $9)
                        """,
                        [
                            .text(account.rawValue), .text(lane.queue.text), .text(lane.model), .int(lane.priority),
                            .int(position?.turn ?? .min), .int(position?.id.rawValue ?? .min), .int(Int64(most)),
                            excluded, .int(Int64(ClaimPlan.depth)),
                        ]
                    )
                }
            }
            let chained = try found.joined().filter { try ($0[6] as Int64?) != nil }.map { JobID(try $0[0]) }
            // Those that have to wait for a file again leave the index, and others take their places.
            guard let sources = try await sources(of: chained) else { continue }
            return try zip(lanes, found).map { lane, rows in
                var page = Page(isAll: rows.count < most)
                for row in rows {
                    let job = try Self.candidate(row, lane.lane, sources)
                    page.jobs.append(job)
                    page.dueAt[job.id] = Instant(milliseconds: try row[9])
                }
                return page
            }
        }
    }

    private static func candidate(
        _ row: PostgresRow,
        _ lane: ClaimLane,
        _ sources: [JobID: [ResultSource]]
    ) throws -> ClaimCandidate {
        let id = JobID(try row[0])
        return ClaimCandidate(
            id: id,
            job: QueuedJob(
                id: id,
                queue: lane.queue.text,
                batch: try row[2],
                model: lane.model,
                prompt: try row[3],
                input: try row[4],
                allowsUnknownFields: try (row[5] as Int64) != 0,
                sources: sources[id] ?? []
            ),
            priority: lane.priority,
            turn: try row[1],
            attemptCount: try row[7],
            maxAttempts: try row[8]
        )
    }

    /// What jobs take from others: by now they have succeeded, but some may be gone; and from this machine.
    ///
    /// - Returns: nil if one of them turned out to wait for a file that has to be uploaded anew: the provider may have deleted a
    ///   result.
    private func sources(of jobs: [JobID]) async throws -> [JobID: [ResultSource]]? {
        guard !jobs.isEmpty else { return [:] }
        let rows = try await transaction.pipeline { pipeline in
            pipeline.add(
                "SELECT job_id, reference, source_id, ordinal, url, created_at, state, uploaded FROM claim_sources($1)",
                [.ints(jobs.map(\.rawValue))]
            )
            pipeline.add("SELECT job_id, reference, url FROM claim_files($1)", [.ints(jobs.map(\.rawValue))])
        }
        var sources: [JobID: [ResultSource]] = [:]
        var expired: [(job: JobID, reference: String)] = []
        for row in rows[0] {
            let job = JobID(try row[0])
            let reference: String = try row[1]
            if let uploaded = try row[7] as String? {
                sources[job, default: []].append(ResultSource(reference: reference, url: uploaded))
                continue
            }
            let created: Int64? = try row[5]
            let source = ResultSource(
                reference: reference,
                job: JobID(try row[2]),
                ordinal: try row[3],
                url: try row[4],
                createdAt: created.map(Instant.init(milliseconds:)),
                now: now
            )
            if source.standing == .expired, try row[6] as String? == ResultState.saved.rawValue {
                expired.append((job, "result:\(try row[2] as Int64)/\(try row[3] as Int64)"))
            }
            sources[job, default: []].append(source)
        }
        for row in rows[1] {
            sources[JobID(try row[0]), default: []].append(ResultSource(reference: try row[1], url: try row[2]))
        }
        guard !expired.isEmpty else { return sources }
        let waiting: Int64 = try await transaction.query(
            "SELECT upload_anew($1, $2)",
            [.ints(expired.map(\.job.rawValue)), .texts(expired.map(\.reference))]
        ).only()[0]
        return waiting > 0 ? nil : sources
    }

    // MARK: - Writing

    /// Writes what a claim takes and refuses, and commits.
    ///
    /// - Returns: the claim with the attempts' ids.
    func write(_ claim: Claim, _ writes: ClaimSnapshot, by epoch: Epoch, _ number: String) async throws -> Claim {
        let taken = writes.taken
        guard !taken.isEmpty || !writes.refused.isEmpty || !writes.served.isEmpty else { return claim }
        let rows = try await transaction.commit { pipeline in
            pipeline.add(
                "SELECT job_id, attempt_id, problem FROM claim_jobs($1, $2, $3::uuid, $4, $5)",
                [
                    .int(epoch.rawValue), .text(account.rawValue), .text(number), .int(now.milliseconds),
                    .text(JSONValue.array(taken.map(\.json)).json),
                ]
            )
            pipeline.add(
                "SELECT refuse_jobs($1, $2, $3, $4)",
                [
                    .ints(writes.refused.map(\.job.rawValue)), .texts(writes.refused.map(\.refusal.code.rawValue)),
                    .texts(writes.refused.map { BoundedText.message($0.refusal.description) }), .int(now.milliseconds),
                ]
            )
            for (queue, priority, turn) in writes.served {
                pipeline.add("SELECT note_turn($1, $2, $3)", [.text(queue), .int(priority), .int(turn)])
            }
        }
        var written = claim
        written.jobs = []
        for (row, taken) in zip(rows[0], taken) {
            if let attempt = try row[1] as Int64? {
                var job = taken.job
                job.attempt = AttemptID(attempt)
                written.jobs.append(job)
            } else {
                let reason: String? = try row[2]
                written.setAside.append(SetAside(job: taken.job.job, origin: taken.job.origin, reason: reason ?? ""))
            }
        }
        return written
    }
}

extension ClaimSnapshot.Taken {
    fileprivate var json: JSONValue {
        .object([
            "id": .integer(job.job.rawValue), "token": .string(job.token.rawValue), "queue": .string(job.queue),
            "model": .string(job.model), "reserved": .integer(job.reserved.millicredits),
            "basis": .string(estimate.kind.rawValue), "profile": .string(profile),
            "input": .string(JSONValue.object(job.input).json),
        ])
    }
}
