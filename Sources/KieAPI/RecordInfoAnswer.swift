package import PromptQueue

/// Reads the answer to `recordInfo`.
package enum RecordInfoAnswer {
    package static func answer(httpStatus: Int, body: [UInt8]) -> PollAnswer {
        let answer = Answer(httpStatus: httpStatus, body: body)
        return PollAnswer(outcome(answer), origin: answer.data?.objectValue.flatMap(origin))
    }

    private static func outcome(_ answer: Answer) -> PollOutcome {
        switch answer.code {
        case 200?:
            guard let task = answer.data?.objectValue else { return .unavailable(answer.failure(.providerUnavailable)) }
            return outcome(task)
        case 404?, 422?:
            return .notFound
        case 501?, 408?:
            // On this endpoint these speak of the task, not of the question.
            let charged = Answer.charge(answer.data?.objectValue?["creditsConsumed"])
            let code = TaskFailure.code(failCode: nil, message: answer.message, otherwise: .providerFault)
            return .failed(answer.failure(code), charged: charged)
        case 401?, 403?:
            return .unavailable(answer.failure(.keyRefused))
        case 429?:
            return .unavailable(answer.failure(.rateLimited))
        case .some:
            return .unavailable(answer.failure(.providerUnavailable))
        case nil:
            switch answer.httpStatus {
            case 401, 403: return .unavailable(answer.failure(.keyRefused))
            case 429: return .unavailable(answer.failure(.rateLimited))
            default: return .unavailable(answer.failure(.providerUnavailable))
            }
        }
    }

    /// `param` is a JSON text with `model` and `input`, which is a JSON text again.
    private static func origin(_ task: JSONObject) -> TaskOrigin? {
        let param = task["param"].flatMap(object)
        let input = param?["input"].flatMap(object)
        let model = task["model"]?.stringValue ?? param?["model"]?.stringValue
        let origin = TaskOrigin(
            model: model.flatMap { $0.isEmpty ? nil : $0 },
            prompt: input?["prompt"]?.stringValue
        )
        return origin == TaskOrigin() ? nil : origin
    }

    /// An object, or one in a JSON text.
    private static func object(_ value: JSONValue) -> JSONObject? {
        if let object = value.objectValue { return object }
        return value.stringValue.flatMap { (try? JSONValue(parsing: $0))?.objectValue }
    }

    private static func outcome(_ task: JSONObject) -> PollOutcome {
        let charged = Answer.charge(task["creditsConsumed"] ?? task["consumeCredits"])
        switch task["state"]?.stringValue {
        case "success"?:
            return success(task["resultJson"], charged, took: took(task))
        case "fail"?:
            let failCode = task["failCode"].flatMap(text)
            let message = Answer.shortened(task["failMsg"].flatMap(text) ?? "")
            let shown = [failCode, message.isEmpty ? nil : message].compactMap { $0 }.joined(separator: ": ")
            let code = TaskFailure.code(failCode: failCode, message: message)
            return .failed(
                Failure(code, shown.isEmpty ? "the provider gave no reason" : shown, httpStatus: 200, apiCode: 200),
                charged: charged,
                took: took(task)
            )
        case let state:
            return .pending(providerState: state ?? "unknown")
        }
    }

    /// `resultJson` is a JSON text within the JSON; an object in its place is understood as well.
    private static func success(_ result: JSONValue?, _ charged: Credits?, took: Duration?) -> PollOutcome {
        var object = result?.objectValue
        if object == nil, let text = result?.stringValue { object = (try? JSONValue(parsing: text))?.objectValue }
        var outputs = (object?["resultUrls"]?.arrayValue ?? [])
            .compactMap(\.stringValue)
            .filter { !$0.isEmpty }
            .map { TaskOutput.file(url: $0) }
        if outputs.isEmpty, let value = object?["resultObject"], value != .null {
            outputs = [.object(json: value.json)]
        }
        guard outputs.isEmpty else { return .succeeded(outputs, charged: charged, took: took) }
        let raw = Answer.shortened(result?.stringValue ?? result?.json ?? "")
        return .failed(
            Failure(.emptyResult, "success without a result; resultJson: \(raw.isEmpty ? "empty" : raw)"),
            charged: charged,
            took: took
        )
    }

    /// From creation to completion; both are Unix milliseconds. `costTime` does not say whether it counts the waiting.
    private static func took(_ task: JSONObject) -> Duration? {
        guard case .integer(let created)? = task["createTime"], case .integer(let completed)? = task["completeTime"],
            created > 0, completed > created
        else { return nil }
        return .milliseconds(completed - created)
    }

    /// `failCode` may be a string, a number or null.
    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text.isEmpty ? nil : text
        case .integer, .number: value.json
        default: nil
        }
    }
}
