import PromptQueue

/// The models of the simulated world and what the catalogue says of them.
enum Prices {
    static let models = ["cheap", "usual", "dear", "unlisted"]

    /// What is reserved, in thousandths of a credit; nil if the catalogue has no price.
    static func listed(_ model: String) -> Int64? {
        switch model {
        case "cheap": 4_000
        case "usual": 14_000
        case "dear": 100_000
        default: nil
        }
    }

    /// A prompt that no model takes.
    static let badPrompt = "bad"

    static func prepare(_ job: QueuedJob) -> Preparation {
        // As the catalogue does; what else it looks at is its own.
        guard JSONValue.object(in: job.input) != nil else {
            let problem = InputProblem(field: "input", kind: .wrongType, message: "is not a JSON object")
            return .refused(Refusal(code: .invalidInput, problems: [problem]))
        }
        // What it takes of others may be gone.
        var input: JSONObject
        do throws(Refusal) { input = try job.inputToSend(.builtIn) } catch { return .refused(error) }
        guard job.prompt != badPrompt else {
            let problem = InputProblem(field: "prompt", kind: .tooShort, message: "too short")
            return .refused(Refusal(code: .invalidInput, problems: [problem]))
        }
        let estimate = listed(job.model).map {
            Estimate(credits: Credits(millicredits: $0), basis: .listed("simulated"))
        }
        input["prompt"] = .string(job.prompt ?? "")
        return .ready(PreparedInput(input: input, estimate: estimate))
    }
}
