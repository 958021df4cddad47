import PromptQueue

/// Which jobs are meant.
enum ChosenJobs: Sendable {
    case ids([JobID])
    case matching(JobFilter)
}

/// Paused queues, and what waits in them.
struct WaitingQueues: Sendable {
    struct Queue: Sendable {
        let name: String
        let jobs: Int
        let credits: Credits
    }

    let queues: [Queue]
    /// Whether every job was looked at.
    let isExact: Bool

    var credits: Credits { queues.reduce(.zero) { $0 + $1.credits } }
}

// What a change would do, found out by doing it and undoing it, as `promptctl --dry-run` does.
extension WebChanges {
    func plan(_ change: JobChange, _ chosen: ChosenJobs, back: String) async throws -> ChangePlan {
        let (ids, outcome, cost) = try await self.change(dryRun: true) { try self.apply(change, chosen, $0) }
        let (verb, isRetry) =
            switch change {
            case .cancel: ("Cancel", false)
            case .retry: ("Retry", true)
            }
        let jobs = count(outcome.changed, "job")
        let stayed = [
            outcome.stayedBeingSent,
            outcome.stayedCancelled.map { "\($0): choose the state cancelled to retry what was cancelled" },
        ]
        return ChangePlan(
            name: verb.lowercased(),
            action: .change(change, Self.changed(ids, outcome)),
            title: outcome.changed == 0 ? "Nothing to \(verb.lowercased())" : "\(verb) \(jobs)?",
            lines: [cost.sentence(change, outcome, dryRun: true, money: money)] + stayed.compactMap(\.self),
            refused: Self.lines(outcome),
            button: outcome.changed == 0 ? nil : "\(verb) \(jobs)" + (isRetry ? Self.price(cost, outcome) : ""),
            isGrave: !isRetry,
            stakes: ChangeStakes(outcome, toPay: cost.toPay),
            back: back
        )
    }

    func plan(_ resolution: Resolution, _ chosen: ChosenJobs, now: Instant, back: String) async throws -> ChangePlan {
        var notes: [String] = []
        if case .task(let task) = resolution {
            var job: JobID?
            if case .ids(let jobs) = chosen { job = jobs.first }
            switch try await check(task, for: job) {
            case .notFound:
                throw PageProblem.badRequest("Task \(task): the provider does not know it; copy its id again.")
            case .unavailable(let failure): notes.append("The provider could not be asked: \(failure.message)")
            case .pending, .succeeded, .failed: break
            }
        }
        let (ids, outcome) = try await change(dryRun: true) { file in
            let ids = try Self.unconfirmed(chosen, file)
            return (ids, try file.resolve(ids, resolution, now: now))
        }
        let jobs = count(outcome.changed, "job")
        let (verb, name) =
            switch resolution {
            case .task: ("Follow the task for \(jobs)", "resolve_task")
            case .resubmit: ("Send \(jobs) again", "resolve_resubmit")
            case .fail: ("Give up \(jobs)", "resolve_fail")
            }
        return ChangePlan(
            name: name,
            action: .resolve(resolution, Self.changed(ids, outcome)),
            title: outcome.changed == 0 ? "Nothing to settle" : verb + "?",
            lines: notes + [resolution.sentence(outcome, dryRun: true)],
            refused: outcome.refused.prefix(20).map(\.reason),
            button: outcome.changed == 0 ? nil : verb,
            isGrave: name == "resolve_fail",
            stakes: ChangeStakes(outcome, toPay: outcome.toPay),
            back: back
        )
    }

    /// - Parameter jobs: as they will be added, each with a key of its own.
    func plan(adding jobs: [NewJob], notes: [String], now: Instant, back: String) async throws -> ChangePlan {
        try Self.checkCount(jobs.count)
        let costs = try await look { try Self.added(jobs, try $0.status(), now: now) }
        return ChangePlan(
            name: "add",
            action: .add(jobs),
            title: "Add \(count(jobs.count, "job"))?",
            lines: costs.map { sentence("would queue", $0) } + notes,
            button: "Add \(count(jobs.count, "job"))",
            isGrave: false,
            stakes: ChangeStakes(toPay: costs.reduce(.zero) { $0 + $1.price.total }),
            back: back
        )
    }

    /// What is paid for from then on is said; to pause costs nothing, and is done at once.
    func plan(resuming queues: [String], now: Instant, back: String) async throws -> ChangePlan {
        let found = try await look { try Self.waiting(queues, $0, now: now) }
        let about = found.isExact ? "" : "about "
        let lines = found.queues.map { queue in
            queue.jobs == 0
                ? "would resume \(queue.name), in which nothing waits"
                : "would resume \(queue.name), in which \(count(queue.jobs, "job")) \(queue.jobs == 1 ? "waits" : "wait"): "
                    + "\(about)\(queue.credits.inWords)\(money(queue.credits)) (estimated)"
        }
        let names = found.queues.map(\.name)
        let title = names.count == 1 ? "queue \(names[0])" : count(names.count, "queue")
        return ChangePlan(
            name: "resume",
            action: .resume(names),
            title: names.isEmpty ? "No queue is paused" : "Resume \(title)?",
            lines: names.isEmpty ? ["Nothing is paused by hand."] : lines,
            button: names.isEmpty ? nil : "Resume \(title)",
            isGrave: false,
            stakes: ChangeStakes(toPay: found.credits),
            back: back
        )
    }

    /// What waits in those of these queues that are paused.
    ///
    /// - Parameter names: nil: all that are paused.
    static func waiting(_ names: [String]?, _ file: any QueueClient, now: Instant) throws -> WaitingQueues {
        let status = try file.status()
        let forecast = Forecast(status, status.catalogue, now: now)
        let paused = try (names.map { try known($0, status.queues) } ?? status.queues).filter(\.isPaused)
        return WaitingQueues(
            queues: paused.map { queue in
                WaitingQueues.Queue(
                    name: queue.name,
                    jobs: queue.counts[.queued] ?? 0,
                    credits: forecast.creditsByQueue[queue.name] ?? .zero
                )
            },
            isExact: forecast.isExact
        )
    }

    /// - Throws: `PageProblem` for a queue that is not there: a mistyped name would leave the one that was meant as it is.
    static func known(_ names: [String], _ found: [QueueRecord]) throws(PageProblem) -> [QueueRecord] {
        var queues: [QueueRecord] = []
        for name in names {
            guard let queue = found.first(where: { $0.name == name }) else {
                throw .badRequest("Queue \(name): there is none of that name.")
            }
            queues.append(queue)
        }
        return queues
    }

    func cost(_ outcome: ChangeOutcome, _ file: any QueueClient) throws -> ChangeCost {
        ChangeCost(outcome, try file.catalogue(), try file.priceBook(), unknownModels())
    }

    /// Jobs of one queue and model are told of together.
    static func added(_ jobs: [NewJob], _ status: StatusRecord, now: Instant) throws -> [AddedCost] {
        var groups: [(queue: String, model: String, jobs: [NewJob])] = []
        for job in jobs {
            if let index = groups.firstIndex(where: { $0.queue == job.queue && $0.model == job.model }) {
                groups[index].jobs.append(job)
            } else {
                groups.append((job.queue, job.model, [job]))
            }
        }
        return groups.map { AddedCost($0.jobs, before: status, now: now) }
    }

    func sentence(_ verb: String, _ cost: AddedCost) -> String {
        cost.sentence(verb, money: money, time: \.utcDayAndMinutes)
    }

    static func checkCount(_ jobs: Int) throws(PageProblem) {
        guard jobs <= ChangePlan.mostJobs else {
            throw .badRequest(
                "These are more than \(grouped(ChangePlan.mostJobs)) jobs, and others would wait too long: choose fewer by a "
                    + "filter, or use promptctl."
            )
        }
    }

    /// As many jobs as a page lists; there may be more.
    static func lines(_ outcome: ChangeOutcome) -> [String] {
        let shown = outcome.refused.prefix(20).map { "job \($0.job): \($0.reason)" }
        let more = outcome.refused.count - shown.count
        return more > 0 ? shown + ["and \(grouped(more)) more"] : shown
    }

    private static func price(_ cost: ChangeCost, _ outcome: ChangeOutcome) -> String {
        outcome.jobsToPay + outcome.askedAgain > 0 ? " for \(cost.toPay.inWords)" : ""
    }

    /// Changes the jobs that are meant, and says what that costs.
    func apply(
        _ change: JobChange,
        _ chosen: ChosenJobs,
        _ file: any QueueClient
    ) throws -> (ids: [JobID], outcome: ChangeOutcome, cost: ChangeCost) {
        let (ids, beingSent, leftCancelled) = try Self.jobs(chosen, for: change, file)
        var outcome = try file.apply(change, to: ids)
        outcome.beingSent = beingSent
        outcome.leftCancelled = leftCancelled
        return (ids, outcome, try cost(outcome, file))
    }

    /// The lost requests that are meant.
    static func unconfirmed(_ chosen: ChosenJobs, _ file: any QueueClient) throws -> [JobID] {
        let ids: [JobID]
        switch chosen {
        case .ids(let jobs): ids = jobs
        case .matching(let filter): ids = try file.unconfirmed(matching: filter)
        }
        try checkCount(ids.count)
        return ids
    }

    /// Those that the outcome changes. Those that it refuses stay as they are, whatever becomes of them.
    private static func changed(_ ids: [JobID], _ outcome: ChangeOutcome) -> [JobID] {
        let refused = Set(outcome.refused.map(\.job))
        return ids.filter { !refused.contains($0) }
    }

    /// The jobs by their ids: what is added or changed after that is not meant.
    static func jobs(
        _ chosen: ChosenJobs,
        for change: JobChange,
        _ file: any QueueClient
    ) throws -> (ids: [JobID], beingSent: Int, leftCancelled: Int) {
        switch chosen {
        case .ids(let ids):
            try checkCount(ids.count)
            return (ids, 0, 0)
        case .matching(let filter):
            func count(_ state: JobState) throws -> Int {
                guard filter.states.isEmpty || filter.states.contains(state) else { return 0 }
                var one = filter
                one.states = [state]
                return try file.ids(matching: one, limit: ChangePlan.mostJobs).count
            }
            var own = filter
            own.states = filter.states.isEmpty ? change.usualOrigins : filter.states.intersection(change.origins)
            let ids = own.states.isEmpty ? [] : try file.ids(matching: own, limit: ChangePlan.mostJobs + 1)
            try checkCount(ids.count)
            switch change {
            case .cancel: return (ids, try count(.submitting), 0)
            case .retry: return (ids, 0, filter.states.isEmpty ? try count(.cancelled) : 0)
            }
        }
    }
}
