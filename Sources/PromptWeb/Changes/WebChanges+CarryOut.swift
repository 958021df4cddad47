import PromptQueue

extension WebChanges {
    /// Does what was confirmed, to exactly these jobs.
    ///
    /// - Throws: `PlanOutdated` if it would cost more by now; then nothing was done.
    func carryOut(_ plan: ChangePlan, now: Instant) async throws -> ChangeResult {
        switch plan.action {
        case .change(let change, let ids): try await carryOut(change, ids, plan)
        case .resolve(let resolution, let ids): try await carryOut(resolution, ids, plan, now: now)
        case .add(let jobs): try await add(jobs, plan, now: now)
        case .resume(let queues): try await setPaused(false, queues)
        }
    }

    private func carryOut(_ change: JobChange, _ ids: [JobID], _ plan: ChangePlan) async throws -> ChangeResult {
        let (outcome, cost) = try await self.change { file in
            let now = try self.cost(try file.apply(change, to: ids, dryRun: true), file)
            guard now.toPay <= plan.toPay else { throw PlanOutdated() }
            let outcome = try file.apply(change, to: ids)
            return (outcome, try self.cost(outcome, file))
        }
        return ChangeResult(
            title: plan.button ?? plan.title,
            lines: [cost.sentence(change, outcome, dryRun: false, money: money)],
            refused: Self.lines(outcome),
            jobs: outcome.changed,
            credits: cost.toPay,
            links: Self.links(ids)
        )
    }

    private func carryOut(
        _ resolution: Resolution,
        _ ids: [JobID],
        _ plan: ChangePlan,
        now: Instant
    ) async throws -> ChangeResult {
        let outcome = try await change { file in
            guard try file.resolve(ids, resolution, now: now, dryRun: true).toPay <= plan.toPay else {
                throw PlanOutdated()
            }
            return try file.resolve(ids, resolution, now: now)
        }
        return ChangeResult(
            title: plan.button ?? plan.title,
            lines: [resolution.sentence(outcome, dryRun: false)],
            refused: outcome.refused.prefix(20).map(\.reason),
            jobs: outcome.changed,
            credits: outcome.toPay,
            links: Self.links(ids)
        )
    }

    private func add(_ jobs: [NewJob], _ plan: ChangePlan, now: Instant) async throws -> ChangeResult {
        let (ids, costs) = try await change { file in
            let before = try file.status()
            let jobs = try priced(jobs, before)
            guard Price(jobs.compactMap(\.estimate)).total <= plan.toPay else { throw PlanOutdated() }
            return (try file.add(jobs, now: now), try Self.added(jobs, before, now: now))
        }
        return ChangeResult(
            title: "Added \(count(jobs.count, "job"))",
            lines: costs.map { sentence("queued", $0) },
            jobs: ids.count,
            credits: costs.reduce(.zero) { $0 + $1.price.total },
            links: Self.links(ids)
        )
    }

    /// The same jobs, at what they cost by now.
    func priced(_ jobs: [NewJob], _ status: StatusRecord) throws(PageProblem) -> [NewJob] {
        var priced: [NewJob] = []
        for job in jobs {
            var request = JobRequest(prompts: [job.prompt], model: job.model)
            request.input = parsed(job.input).objectValue ?? [:]
            request.allowsUnknownFields = job.allowsUnknownFields
            let checked = request.checked(status.catalogue, status.prices, unknownModels: unknownModels())
            guard let estimate = checked.jobs.first?.estimate else {
                throw .badRequest(checked.problems.joined(separator: "; "))
            }
            var job = job
            job.estimate = estimate
            priced.append(job)
        }
        return priced
    }

    func setPaused(_ isPaused: Bool, _ queues: [String]) async throws -> ChangeResult {
        try await change { file in
            _ = try Self.known(queues, try file.queues())
            for queue in queues { try file.setPaused(isPaused, queue: queue) }
        }
        let verb = isPaused ? "Paused" : "Resumed"
        return ChangeResult(
            title: queues.count == 1 ? "\(verb) queue \(queues[0])" : "\(verb) \(count(queues.count, "queue"))",
            lines: queues.map { "\(verb.lowercased()) \($0)" },
            links: [("/", "Go to the overview")]
        )
    }

    private static func links(_ ids: [JobID]) -> [(href: String, text: String)] {
        let shown = ids.prefix(10).map { (href: "/jobs/\($0)", text: "Job \($0)") }
        return ids.count > shown.count ? [("/jobs", "The jobs")] : shown
    }
}
