import JobStore
import PromptQueue

/// What the backlog will cost, and when it can be done at the earliest.
struct Forecast {
    private(set) var jobs = 0
    private(set) var credits = Credits.zero
    /// `credits`, by queue.
    private(set) var creditsByQueue: [String: Credits] = [:]
    /// Jobs of which no price is known, among those that were looked at; they count at the default price.
    private(set) var unpricedJobs = 0
    /// Whether every queued job was looked at.
    private(set) var isExact = true
    /// When the queues that are not held by a budget or by hand can be empty, by the rate limit alone; `nil` if it is not
    /// known, or nothing of theirs waits.
    private(set) var finish: Instant?

    init(_ record: StatusRecord, _ catalogue: Catalogue, now: Instant) {
        var estimates: [Key: Estimate?] = [:]
        for sample in record.backlog {
            jobs += sample.jobs
            guard sample.sampled > 0 else { continue }
            var sum = sample.estimated
            for job in sample.unpriced {
                let key = Key(model: job.model, input: job.input)
                let estimate: Estimate?
                if let found = estimates[key] {
                    estimate = found
                } else {
                    estimate = Self.estimate(job, catalogue, record.prices)
                    estimates[key] = estimate
                }
                guard let estimate else { continue }
                sum += estimate.credits
                if estimate.kind == .default { unpricedJobs += 1 }
            }
            if sample.sampled < sample.jobs {
                isExact = false
                let scaled = Double(sum.millicredits) * Double(sample.jobs) / Double(sample.sampled)
                sum = Credits(scaled / 1_000) ?? sum
            }
            credits += sum
            creditsByQueue[sample.queue] = sum
        }
        let held = Set(record.queues.filter { $0.isPaused || $0.blockedBy?.hasPrefix("budget:") == true }.map(\.name))
        let coming = record.backlog.reduce(0) { $0 + (held.contains($1.queue) ? 0 : $1.jobs) }
        if coming > 0, let rate = record.daemon.rate, rate.count > 0 {
            let windows = Double(coming) / Double(rate.count)
            finish = now + .milliseconds(Int64(windows * Double(rate.window.milliseconds)))
        }
    }

    private struct Key: Hashable {
        var model: String
        var input: String
    }

    /// As at the claim; `nil` for an input that will be refused, and costs nothing.
    private static func estimate(_ job: QueuedJob, _ catalogue: Catalogue, _ prices: PriceBook) -> Estimate? {
        guard case .object(let input) = parsed(job.input),
            case .ready(let prepared) = catalogue.prepare(
                model: job.model,
                prompt: job.prompt,
                input: input,
                unknownModels: .allow
            )
        else { return nil }
        return prices.estimate(of: prepared, model: job.model)
    }
}
