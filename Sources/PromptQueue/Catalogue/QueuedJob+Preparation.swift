extension QueuedJob {
    /// Completes and checks the job's input against a catalogue, with the URLs of what it takes from other jobs.
    package func prepared(by catalogue: Catalogue, unknownModels: UnknownModelPolicy) -> Preparation {
        let input: JSONObject
        do throws(Refusal) { input = try inputToSend(catalogue) } catch { return .refused(error) }
        guard sources != nil else {
            return catalogue.prepareAhead(
                model: model,
                prompt: prompt,
                input: input,
                unknownModels: unknownModels,
                allowsUnknownFields: allowsUnknownFields
            )
        }
        return catalogue.prepare(
            model: model,
            prompt: prompt,
            input: input,
            unknownModels: unknownModels,
            allowsUnknownFields: allowsUnknownFields
        )
    }

    /// The row's input, with the URLs of what it takes from other jobs if these are known.
    ///
    /// - Throws: why it cannot be sent.
    package func inputToSend(_ catalogue: Catalogue) throws(Refusal) -> JSONObject {
        func refused(_ message: String) -> Refusal {
            Refusal(
                code: .invalidInput,
                problems: [InputProblem(field: "input", kind: .wrongType, message: message)]
            )
        }
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: input) } catch { throw refused(error.description) }
        guard let object = value.objectValue else { throw refused("is not a JSON object") }
        guard let sources, !sources.isEmpty else { return object }
        if let refusal = catalogue.misplacedReferences(in: object, model: model) { throw refusal }
        let problems = sources.compactMap(\.problem)
        guard problems.isEmpty else { throw Refusal(code: .inputMissing, problems: problems) }
        let urls = sources.reduce(into: [ExactText: String]()) { urls, source in
            if case .at(let url) = source.standing { urls[ExactText(source.reference)] = url }
        }
        return value.replacingTexts { urls[ExactText($0)] }.objectValue ?? object
    }
}
