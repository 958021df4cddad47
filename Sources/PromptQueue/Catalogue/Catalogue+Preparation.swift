extension Catalogue {
    /// Completes a job's input with its prompt and the model's defaults, checks it, and estimates what it costs.
    ///
    /// - Parameters:
    ///   - prompt: goes to the model's prompt field; `nil` if the job has none or has it in `input`.
    ///   - input: the other fields. A `null` for a field that the catalogue knows counts as left out.
    ///   - allowsUnknownFields: whether a field that is spelt almost like one of the model's is sent as it is. Otherwise it is
    ///     refused: the service ignores it, and charges for the default.
    package func prepare(
        model name: String,
        prompt: String?,
        input: JSONObject,
        unknownModels: UnknownModelPolicy = .refuse,
        allowsUnknownFields: Bool = false
    ) -> Preparation {
        guard let model = model(named: name) else {
            switch unknownModels {
            case .refuse: return .refused(Refusal(code: .unknownModel, problems: [unknownModel(name)]))
            case .allow: return prepare(anyFields: input, prompt: prompt, estimate: { _ in nil })
            }
        }
        guard let fields = model.fields else {
            return prepare(anyFields: input, prompt: prompt, estimate: model.estimate)
        }
        var complete = input
        for field in fields where complete[field.name] == .null { complete[field.name] = nil }
        if let problem = complete.merge(prompt: prompt, into: model.promptField) {
            return .refused(Refusal(code: .invalidInput, problems: [problem]))
        }
        for field in fields where complete[field.name] == nil { complete[field.name] = field.defaultValue }

        var problems = fields.flatMap { $0.problems(with: complete[$0.name], at: $0.name, model: name) }
        if !allowsUnknownFields {
            problems += Field.misspellings(in: complete, of: fields, model: name, elsewhere: fieldNames)
        }
        guard problems.isEmpty else { return .refused(Refusal(code: .invalidInput, problems: problems)) }
        let unknown = Set(complete.keys).subtracting(fields.map(\.name)).sorted()
        return .ready(PreparedInput(input: complete, estimate: model.estimate(of: complete), unknownFields: unknown))
    }

    /// Without published fields there is nothing to check and nothing to fill in.
    private func prepare(
        anyFields input: JSONObject,
        prompt: String?,
        estimate: (JSONObject) -> Estimate?
    ) -> Preparation {
        var complete = input
        if let problem = complete.merge(prompt: prompt, into: "prompt") {
            return .refused(Refusal(code: .invalidInput, problems: [problem]))
        }
        return .ready(PreparedInput(input: complete, estimate: estimate(complete)))
    }

    private func unknownModel(_ name: String) -> InputProblem {
        let near = nearestNames(to: name)
        var message = "\(JSONValue.string(name).quoted) is not in the catalogue"
        if let last = near.last {
            let others = near.dropLast().joined(separator: ", ")
            message += "; did you mean \(others.isEmpty ? last : "\(others) or \(last)")?"
        }
        return InputProblem(field: "model", kind: .unknownModel, message: message)
    }
}

extension JSONObject {
    /// Puts `prompt` into `field`, which must not hold another one already.
    fileprivate mutating func merge(prompt: String?, into field: String) -> InputProblem? {
        guard let prompt else { return nil }
        switch self[field] {
        case nil, .null, .string(prompt):
            self[field] = .string(prompt)
            return nil
        default:
            let message = "is given twice, as the job's prompt and in its input, and the two differ"
            return InputProblem(field: field, kind: .notAllowed, message: message)
        }
    }
}
