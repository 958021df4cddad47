package import PromptQueue

/// Reads the answer to `recordInfo`.
package enum RecordInfoAnswer {
    package static func answer(httpStatus: Int, body: [UInt8]) -> PollAnswer {
        let answer = Answer<TaskRecord>(httpStatus: httpStatus, body: body)
        return PollAnswer(outcome(answer), origin: answer.data.flatMap(origin))
    }

    private static func outcome(_ answer: Answer<TaskRecord>) -> PollOutcome {
        switch answer.code {
        case 200?:
            guard let task = answer.data else { return .unavailable(answer.failure(.providerUnavailable)) }
            return outcome(task)
        case 404?, 422?:
            return .notFound
        case 501?, 408?:
            // On this endpoint these speak of the task, not of the question.
            let code = TaskFailure.code(failCode: nil, message: answer.message, otherwise: .providerFault)
            return .failed(answer.failure(code), charged: answer.data?.charge)
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
    private static func origin(_ task: TaskRecord) -> TaskOrigin? {
        let param = task.param.flatMap(object)
        let input = param?["input"].flatMap(object)
        let model = task.model ?? param?["model"]?.stringValue
        let origin = TaskOrigin(
            model: model.flatMap { $0.isEmpty ? nil : $0 },
            prompt: input?["prompt"]?.stringValue
        )
        return origin == TaskOrigin() ? nil : origin
    }

    /// An object, or one in a JSON text.
    private static func object(_ value: JSONValue) -> JSONObject? {
        value.objectValue ?? value.stringValue.flatMap(JSONValue.object(in:))
    }

    private static func outcome(_ task: TaskRecord) -> PollOutcome {
        switch task.state {
        case "success"?:
            return success(task)
        case "fail"?:
            let message = AnswerText.shortened(task.failMessage ?? "")
            let shown = [task.failCode, message.isEmpty ? nil : message].compactMap { $0 }.joined(separator: ": ")
            let code = TaskFailure.code(failCode: task.failCode, message: message)
            return .failed(
                Failure(code, shown.isEmpty ? "the provider gave no reason" : shown, httpStatus: 200, apiCode: 200),
                charged: task.charge,
                took: task.took
            )
        case let state:
            return .pending(providerState: state ?? "unknown")
        }
    }

    private static func success(_ task: TaskRecord) -> PollOutcome {
        let results = TaskResults(task.resultJSON)
        var outputs = (results?.urls ?? []).filter { !$0.isEmpty }.map { TaskOutput.file(url: $0) }
        if outputs.isEmpty, let value = results?.object { outputs = [.object(json: value.json)] }
        guard outputs.isEmpty else { return .succeeded(outputs, charged: task.charge, took: task.took) }
        let raw = AnswerText.shortened(task.resultJSON?.stringValue ?? task.resultJSON?.json ?? "")
        return .failed(
            Failure(.emptyResult, "success without a result; resultJson: \(raw.isEmpty ? "empty" : raw)"),
            charged: task.charge,
            took: task.took
        )
    }
}
