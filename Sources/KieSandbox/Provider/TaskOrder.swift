import PromptQueue

/// What a client ordered, once it has been found valid.
struct TaskOrder: Sendable {
    let model: String
    let input: JSONObject
    let price: Credits
    let result: SandboxTask.Result
}

extension Catalogue {
    enum Check {
        case accepted(TaskOrder)
        case refused(SandboxAnswer)
    }

    /// What a task costs whose price nobody published.
    static let fallbackPrice = Credits(millicredits: 10_000)

    /// Checks `input` the way the service does, and in its words.
    func check(_ input: JSONObject, of model: CatalogueModel) -> Check {
        // The service fills no defaults in: a required field is required even if it has one.
        for field in model.fields ?? [] where field.isRequired {
            switch input[field.name] {
            case nil, .null, "": return .refused(.error(500, "\(field.name) is required"))
            default: break
            }
        }
        // It leaves out what it does not know, and charges for the rest.
        switch prepare(model: model.name, prompt: nil, input: input, allowsUnknownFields: true) {
        case .refused(let refusal):
            return .refused(refusal.problems.first?.answer ?? .fieldRequired)
        case .ready(let prepared):
            let price = prepared.estimate?.credits ?? Self.fallbackPrice
            return .accepted(
                TaskOrder(model: model.name, input: input, price: price, result: model.result(of: prepared.input))
            )
        }
    }
}

extension CatalogueModel {
    /// Files of the model's kind; the words of a model that writes.
    fileprivate func result(of input: JSONObject) -> SandboxTask.Result {
        if name.hasSuffix("speech-to-text") { return .text("The quick brown fox jumps over the lazy dog.") }
        if name.hasSuffix("generate-lyrics") {
            return .text("[Verse]\nThe hills lie still, the light is low\n[Chorus]\nAnd on we go, and on we go")
        }
        return .files(ResultMedia(model: self, input: input))
    }
}

extension InputProblem {
    fileprivate var answer: SandboxAnswer {
        switch kind {
        case .unknownModel: .unknownModel
        case .missing: .error(500, "\(field) is required")
        case .notAllowed: .error(500, "\(field) is not within the range of allowed options")
        case .tooShort, .tooLong: .error(422, "The length of \(field) is not within the allowed limits")
        case .tooSmall, .tooLarge: .error(422, "The value of \(field) is not within the allowed limits")
        case .tooFewItems, .tooManyItems: .error(422, "The number of \(field) is not within the allowed limits")
        default: .error(422, "The format of \(field) is invalid")
        }
    }
}
