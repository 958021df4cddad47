/// Jobs that somebody asks for, one for each prompt, before they are held against the catalogue.
package struct JobRequest: Sendable {
    package static let defaultModel = "flux-2/flex-text-to-image"

    /// nil: what to make stands in the input alone.
    package var prompts: [String?]
    package var model: String
    package var input: JSONObject = [:]
    package var queue = "default"
    package var priority: Int64 = 0
    package var runAt: Instant?
    package var batch: String?
    /// A JSON object.
    package var labels: String?
    package var maxAttempts = 3
    package var allowsUnknownFields = false

    package init(prompts: [String?], model: String = defaultModel) {
        self.prompts = prompts
        self.model = model
    }

    /// The jobs, with what they will cost, or what is wrong with them.
    package struct Checked: Sendable {
        /// Empty if there are problems.
        package var jobs: [NewJob] = []
        /// That the catalogue does not list; they are sent as they are.
        package var unknownFields: [String] = []
        package var problems: [String] = []
        /// Whether a field is spelt almost like one of the model's.
        package var isMisspelt = false

        package init() {}
    }

    package func checked(
        _ catalogue: Catalogue,
        _ prices: PriceBook,
        unknownModels: UnknownModelPolicy
    ) -> Checked {
        var checked = Checked()
        checked.problems = nullProblems
        guard checked.problems.isEmpty else { return checked }
        var unknownFields: Set<String> = []
        for (index, prompt) in prompts.enumerated() {
            switch catalogue.prepareAhead(
                model: model,
                prompt: prompt,
                input: input,
                unknownModels: unknownModels,
                allowsUnknownFields: allowsUnknownFields
            ) {
            case .refused(let refusal):
                let place = prompts.count > 1 && refusal.code != .unknownModel ? "prompt \(index + 1): " : ""
                checked.isMisspelt = checked.isMisspelt || refusal.problems.contains { $0.kind == .misspeltField }
                checked.problems += refusal.problems.map { place + $0.description }
                    .filter { !checked.problems.contains($0) }
            case .ready(let prepared):
                unknownFields.formUnion(prepared.unknownFields)
                checked.jobs.append(job(prompt, prices.estimate(of: prepared, model: model)))
            }
        }
        checked.unknownFields = unknownFields.sorted()
        if !checked.problems.isEmpty { checked.jobs = [] }
        return checked
    }

    /// To some functions of SQLite, U+0000 is the end of a text.
    private var nullProblems: [String] {
        let texts = [("prompt", prompts), ("model", [model]), ("queue", [queue]), ("batch", [batch])]
        let names = texts.filter { $0.1.contains { $0?.utf8.contains(0) == true } }.map(\.0)
        let isInInput = JSONValue.object(input).hasNull
        let areInLabels = labels.flatMap { try? JSONValue(parsing: $0) }?.hasNull == true
        return (names + (isInInput ? ["input"] : []) + (areInLabels ? ["labels"] : [])).map {
            "\($0): holds the character U+0000, which is not possible; remove it"
        }
    }

    private func job(_ prompt: String?, _ estimate: Estimate) -> NewJob {
        var job = NewJob(prompt: prompt, model: model, input: JSONValue.object(input).json, queue: queue)
        job.priority = priority
        job.runAt = runAt
        job.batch = batch
        job.labels = labels
        job.maxAttempts = maxAttempts
        job.allowsUnknownFields = allowsUnknownFields
        job.estimate = estimate
        return job
    }
}
