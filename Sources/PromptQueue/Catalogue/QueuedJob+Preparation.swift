extension QueuedJob {
    /// Completes and checks the job's input against a catalogue.
    package func prepared(by catalogue: Catalogue, unknownModels: UnknownModelPolicy) -> Preparation {
        func refused(_ message: String) -> Preparation {
            let problem = InputProblem(field: "input", kind: .wrongType, message: message)
            return .refused(Refusal(code: .invalidInput, problems: [problem]))
        }
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: input) } catch { return refused(error.description) }
        guard let input = value.objectValue else { return refused("is not a JSON object") }
        return catalogue.prepare(
            model: model,
            prompt: prompt,
            input: input,
            unknownModels: unknownModels,
            allowsUnknownFields: allowsUnknownFields
        )
    }
}
