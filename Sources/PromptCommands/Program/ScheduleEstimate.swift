import PromptConfiguration
import PromptQueue

/// What the runs of a schedule are expected to cost.
struct ScheduleEstimate {
    let estimate: Estimate
    private let schedule: ScheduleRecord

    /// - Throws: `CommandError` if the catalogue refuses the job.
    init(_ schedule: ScheduleRecord, _ file: any QueueClient, _ console: Console) throws {
        self.schedule = schedule
        let job = schedule.job
        let catalogue = try file.catalogue()
        guard let input = JSONValue.object(in: job.input) else {
            throw CommandError(.badData, "input: is not a JSON object; nothing was added")
        }
        // Its files are uploaded for each run; of other jobs' results it would take the same one each time.
        let prepare = InputReference.all(in: .object(input)).isEmpty ? catalogue.prepareAhead : catalogue.prepare
        switch prepare(
            job.model,
            job.prompt,
            input,
            console.settings.unknownModels,
            job.allowsUnknownFields
        ) {
        case .refused(let refusal):
            for problem in refusal.problems { console.say("promptctl: \(problem)") }
            throw CommandError(
                .badData,
                "nothing was added; promptctl models \(oneLine(job.model)) shows what the model takes"
            )
        case .ready(let prepared):
            for field in prepared.unknownFields {
                console.say(
                    "warning: \(oneLine(job.model)) does not list the field \(oneLine(field)); it is sent as it is"
                )
            }
            estimate = try file.priceBook().estimate(of: prepared, model: job.model)
        }
    }

    var price: String { "\(oneLine(schedule.job.model)), about \(estimate.credits.inWords)" }

    var limitProblem: String? {
        guard let limit = schedule.limit, estimate.credits > limit else { return nil }
        return "a run would cost about \(estimate.credits.inWords), more than its limit of \(limit.grouped)"
    }

    /// `at most 4 runs in 30 days: about 96 credits.`
    func month(_ timing: ScheduleTiming, now: Instant) -> String {
        let end = now + .seconds(30 * 86_400)
        let runs = timing.instants(after: now).prefix { $0 <= end }.reduce(0) { count, _ in count + 1 }
        let sum = Credits(millicredits: estimate.credits.millicredits.multipliedSaturated(by: Int64(runs)))
        return "\(count(runs, "run")) in 30 days: about \(sum.inWords)"
    }
}
