package import PromptQueue

/// Reads the answer to `recordInfo`.
package enum RecordInfoAnswer {
    package static func answer(httpStatus: Int, body: [UInt8]) -> PollAnswer {
        // What the provider echoes of an input may be unreadable; what it made is not lost for that.
        let answer = Answer(httpStatus: httpStatus, body: body, takesDamage: true)
        let task = TaskRecord(answer.data)
        return PollAnswer(outcome(answer, task), origin: task.flatMap(origin))
    }

    /// Only the API's own word ends a task, or denies it: at HTTP 200, where it answers, or at the status that equals its
    /// code. What a gateway says is a question that failed.
    private static func outcome(_ answer: Answer, _ task: TaskRecord?) -> PollOutcome {
        let isAPI = answer.code.map { answer.httpStatus == 200 || answer.httpStatus == $0 } ?? false
        let question = AnswerCode.known[answer.code ?? answer.httpStatus]?.question ?? .failed(.providerUnavailable)
        switch question {
        case .answered where isAPI:
            guard let task, !answer.isDamaged || task.isReadable else { break }
            return outcome(task)
        case .notFound where isAPI:
            return .notFound
        // On this endpoint these speak of the task, not of the question; as an HTTP status they are a gateway's.
        case .taskFailed where answer.httpStatus == 200:
            let code = TaskFailure.code(failCode: nil, message: answer.message, otherwise: .providerFault)
            return .failed(answer.failure(code), charged: task?.charge)
        case .failed(let code):
            return .unavailable(answer.failure(code))
        case .answered, .notFound, .taskFailed:
            break
        }
        return .unavailable(answer.failure(.providerUnavailable))
    }

    /// `param` is a JSON text with `model` and `input`, which is a JSON text again.
    private static func origin(_ task: TaskRecord) -> TaskEcho? {
        let param = task.param.flatMap(object)
        let input = param?["input"].flatMap(object)
        let model = task.model ?? param?["model"]?.stringValue
        let origin = TaskEcho(
            model: model.flatMap { $0.isEmpty ? nil : $0 },
            prompt: input?["prompt"]?.stringValue
        )
        return origin == TaskEcho() ? nil : origin
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
        var outputs = results?.files ?? []
        if let value = results?.object { outputs.append(.object(json: value.json)) }
        let given = task.resultJSON == .null ? nil : task.resultJSON
        let raw = given?.stringValue ?? given?.json ?? ""
        guard outputs.isEmpty else {
            let unread = results?.isWhole == true ? nil : raw
            return .succeeded(outputs, charged: task.charge, took: task.took, unread: unread)
        }
        let shown = AnswerText.shortened(raw)
        var failure = Failure(.emptyResult, "success without a result; resultJson: \(shown.isEmpty ? "empty" : shown)")
        if !raw.isEmpty { failure.unread = raw }
        // What was sent is not a result, if it is echoed.
        let sent = task.param?.stringValue ?? task.param?.json ?? ""
        failure.elsewhere = (results?.elsewhere ?? []).filter {
            if case .file(let url) = $0.content { !sent.contains(url) } else { true }
        }
        return .failed(failure, charged: task.charge, took: task.took)
    }
}
