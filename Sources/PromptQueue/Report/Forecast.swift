/// What the backlog will cost, and when it will be done.
package struct Forecast: Sendable {
    package private(set) var jobs = 0
    package private(set) var credits = Credits.zero
    /// `credits`, by queue.
    package private(set) var creditsByQueue: [String: Credits] = [:]
    /// Jobs of which no price is known, among those that were looked at; they count at the default price.
    package private(set) var unpricedJobs = 0
    /// Whether every queued job was looked at.
    package private(set) var isExact = true
    /// Tasks that the provider is working on.
    package private(set) var running = 0
    /// When the queues that are not held by a budget or by hand will be done, and what runs, by the limits and the time
    /// that tasks of their models took lately; `nil` if the limits are not known, or nothing of theirs waits or runs.
    package private(set) var finish: Instant?
    /// Whether it is known of every model how long its tasks take. If not, `finish` is the earliest possible.
    package private(set) var knowsDurations = false
    /// Queues that are paused or have used up a budget.
    private let held: Set<String>

    package init(_ record: StatusRecord, _ catalogue: Catalogue, now: Instant) {
        var estimates: [Key: Estimate?] = [:]
        for sample in record.backlog {
            jobs += sample.jobs
            guard sample.sampled > 0 else {
                // Nothing was found of what is counted: rather too much than too little.
                let price = record.prices.defaultPrice
                let sum = Credits(millicredits: price.millicredits.multipliedSaturated(by: Int64(sample.jobs)))
                (isExact, unpricedJobs) = (false, unpricedJobs + sample.jobs)
                credits += sum
                creditsByQueue[sample.queue] = sum
                continue
            }
            var sum = sample.estimated
            for group in sample.unpriced {
                let job = group.first
                let key = Key(model: job.model, input: job.input)
                let estimate: Estimate?
                if let found = estimates[key] {
                    estimate = found
                } else {
                    estimate = Self.estimate(job, catalogue, record.prices)
                    estimates[key] = estimate
                }
                guard let estimate else { continue }
                sum += Credits(millicredits: estimate.credits.millicredits.multipliedSaturated(by: Int64(group.jobs)))
                if estimate.kind == .default { unpricedJobs += group.jobs }
            }
            if sample.sampled < sample.jobs {
                isExact = false
                let scaled = Double(sum.millicredits) * Double(sample.jobs) / Double(sample.sampled)
                sum = Credits(scaled / 1_000) ?? sum
            }
            credits += sum
            creditsByQueue[sample.queue] = sum
        }
        held = Set(record.queues.filter { $0.isPaused || $0.blockedBy?.isBudget == true }.map(\.name))
        let coming = record.backlog.reduce(0) { $0 + (held.contains($1.queue) ? 0 : $1.jobs) }
        if coming > 0, let rate = record.daemon.rate, rate.count > 0 {
            finish = now + duration(of: coming, record, rate)
        }
        addRunning(record, now: now)
    }

    /// What runs is expected to take as long as its model does on average, and has to be waited for, too.
    private mutating func addRunning(_ record: StatusRecord, now: Instant) {
        guard !record.underWay.isEmpty else { return }
        running = record.underWay.reduce(0) { $0 + $1.tasks }
        let ends = record.underWay.map { sample in record.durations[sample.model].map { sample.latest + $0 } }
        knowsDurations = (finish == nil || knowsDurations) && !ends.contains(nil)
        // Without the limits nothing is known of what waits; `finish` would be too early.
        if finish != nil || jobs == 0 { finish = ([finish, now] + ends).compactMap(\.self).max() }
    }

    /// By when a queued job should be done at the latest: with everything that waits now, wherever its turn is.
    ///
    /// - Returns: `nil` if its queue is held, or if it cannot be told.
    package func latest(for job: JobRecord, in record: StatusRecord, now: Instant) -> Instant? {
        guard job.state == .queued, knowsDurations, let finish, !held.contains(job.queue),
            let queue = record.queues.first(where: { $0.name == job.queue }),
            queue.blockedBy?.isOrdinary ?? true
        else { return nil }
        var wait = finish - now
        if let places = queue.maxRunning {
            guard places > 0, let sample = record.backlog.first(where: { $0.queue == job.queue }) else { return nil }
            let slowest = sample.models.keys.compactMap { record.durations[$0] }.max() ?? .zero
            let rounds = (queue.counts[.running] ?? 0) + sample.jobs + places - 1
            wait = max(wait, slowest * (rounds / places + 1))
        }
        return max(now, job.runAt ?? now) + wait
    }

    /// Tasks leave at the pace of the rate limit, or of places that become free, whichever is slower; the last of them
    /// takes as long as the slowest model does.
    private mutating func duration(
        of jobs: Int,
        _ record: StatusRecord,
        _ rate: RateLimit
    ) -> Duration {
        var sampled = 0
        var sum = 0.0
        var slowest = 0.0
        knowsDurations = true
        for sample in record.backlog where !held.contains(sample.queue) {
            for (model, count) in sample.models {
                guard let duration = record.durations[model] else {
                    knowsDurations = false
                    continue
                }
                sampled += count
                sum += Double(count) * duration.seconds
                slowest = max(slowest, duration.seconds)
            }
        }
        var interval = rate.window.seconds / Double(rate.count)
        if sampled > 0, let places = record.daemon.runningLimit, places > 0 {
            interval = max(interval, sum / Double(sampled) / Double(places))
        }
        return Duration(saturatedSeconds: Double(jobs) * interval + slowest)
    }

    private struct Key: Hashable {
        var model: String
        var input: String
    }

    /// As at the claim; `nil` for an input that will be refused, and costs nothing.
    private static func estimate(_ job: QueuedJob, _ catalogue: Catalogue, _ prices: PriceBook) -> Estimate? {
        guard case .object(let input) = parsed(job.input),
            case .ready(let prepared) = catalogue.prepareAhead(
                model: job.model,
                prompt: job.prompt,
                input: input,
                unknownModels: .allow,
                // Rather too much than too little.
                allowsUnknownFields: true
            )
        else { return nil }
        return prices.estimate(of: prepared, model: job.model)
    }
}
