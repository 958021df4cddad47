import PromptQueue

extension WebChanges {
    /// Does what was confirmed, to exactly these jobs.
    ///
    /// - Throws: `PlanOutdated` if it means more for money by now than was shown; then nothing was done.
    func carryOut(_ plan: ChangePlan, now: Instant) async throws -> ChangeResult {
        switch plan.action {
        case .change(let change, let ids): try await carryOut(change, ids, plan)
        case .resolve(let resolution, let ids): try await carryOut(resolution, ids, plan, now: now)
        case .add(let jobs): try await add(jobs, plan, now: now)
        case .resume(let queues): try await resume(queues, plan, now: now)
        }
    }

    private func carryOut(_ change: JobChange, _ ids: [JobID], _ plan: ChangePlan) async throws -> ChangeResult {
        let (outcome, cost) = try await self.change { file in
            let (_, outcome, cost) = try self.apply(change, .ids(ids), file)
            try ChangeStakes(outcome, toPay: cost.toPay).check(against: plan.stakes)
            return (outcome, cost)
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
            let outcome = try file.resolve(ids, resolution, now: now)
            try ChangeStakes(outcome, toPay: outcome.toPay).check(against: plan.stakes)
            return outcome
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
            let costs = try Self.added(jobs, before, now: now)
            try ChangeStakes(toPay: costs.reduce(.zero) { $0 + $1.price.total }).check(against: plan.stakes)
            return (try file.add(jobs, now: now), costs)
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

    private func resume(_ queues: [String], _ plan: ChangePlan, now: Instant) async throws -> ChangeResult {
        let found = try await change { file in
            let found = try Self.waiting(queues, file, now: now)
            try ChangeStakes(toPay: found.credits).check(against: plan.stakes)
            for queue in found.queues { try file.setPaused(false, queue: queue.name) }
            return found
        }
        return Self.result("Resumed", queues, credits: found.credits)
    }

    /// - Parameter queues: nil: all that there are.
    func pause(_ queues: [String]?) async throws -> ChangeResult {
        let names = try await change { file in
            let found = try file.queues()
            let names = try (queues.map { try Self.known($0, found) } ?? found).map(\.name)
            for queue in names { try file.setPaused(true, queue: queue) }
            return names
        }
        return Self.result("Paused", names)
    }

    private static func result(_ verb: String, _ queues: [String], credits: Credits = .zero) -> ChangeResult {
        ChangeResult(
            title: queues.count == 1 ? "\(verb) queue \(queues[0])" : "\(verb) \(count(queues.count, "queue"))",
            lines: queues.map { "\(verb.lowercased()) \($0)" },
            queues: queues,
            credits: credits,
            links: [("/", "Go to the overview")]
        )
    }

    private static func links(_ ids: [JobID]) -> [(href: String, text: String)] {
        let shown = ids.prefix(10).map { (href: "/jobs/\($0)", text: "Job \($0)") }
        return ids.count > shown.count ? [("/jobs", "The jobs")] : shown
    }
}
