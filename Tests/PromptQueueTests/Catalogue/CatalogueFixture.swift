import PromptQueue
import Testing

extension Catalogue {
    /// What `prepare` lets through, or a failed expectation.
    func ready(
        _ model: String,
        prompt: String? = "a red fox in the snow",
        _ input: JSONObject = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> PreparedInput {
        let preparation = prepare(model: model, prompt: prompt, input: input)
        guard case .ready(let prepared) = preparation else {
            try #require(Bool(false), "\(preparation)", sourceLocation: sourceLocation)
            throw CancellationError()
        }
        return prepared
    }

    /// What `prepare` refuses, or a failed expectation.
    func refusal(
        _ model: String,
        prompt: String? = "a red fox in the snow",
        _ input: JSONObject = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Refusal {
        let preparation = prepare(model: model, prompt: prompt, input: input)
        guard case .refused(let refusal) = preparation else {
            try #require(Bool(false), "\(preparation)", sourceLocation: sourceLocation)
            throw CancellationError()
        }
        return refusal
    }

    /// The estimated credits of an input given as JSON, or `nil` if unlisted; refused inputs fail.
    func price(_ model: String, _ json: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Double? {
        let input = try #require(try JSONValue(parsing: json).objectValue)
        let prompt = input["prompt"] == nil && input["text"] == nil ? "a red fox in the snow" : nil
        return try ready(model, prompt: prompt, input, sourceLocation: sourceLocation).estimate?.credits.doubleValue
    }
}
