package import PromptQueue

/// Reads the answer to `createTask`.
package enum CreateTaskAnswer {
    /// - Returns: `accepted`, `rejected`, or `unknown` when the answer does not tell whether a task was made.
    package static func outcome(httpStatus: Int, body: [UInt8]) -> SubmissionOutcome {
        let answer = Answer<CreatedTask>(httpStatus: httpStatus, body: body)
        guard let code = answer.code else { return withoutCode(answer) }
        if code == 200 {
            guard let task = answer.data?.id else {
                return .unknown(
                    Failure(
                        .answerLost,
                        "the provider said success and named no task",
                        httpStatus: httpStatus,
                        apiCode: code
                    )
                )
            }
            return .accepted(task, httpStatus: httpStatus)
        }
        // What names a task, or tells of a time-out behind the API, does not show that nothing was made.
        if answer.data?.id != nil || ProviderMessages.isTimeOut(code, answer.message) {
            return .unknown(answer.failure(.answerLost))
        }
        return .rejected(answer.failure(failureCode(code, answer.message)))
    }

    /// Answers that are not the API's JSON: the CDN's, a gateway's, a proxy's.
    private static func withoutCode(_ answer: Answer<CreatedTask>) -> SubmissionOutcome {
        switch answer.httpStatus {
        case 401, 403: .rejected(answer.failure(.keyRefused))
        case 402: .rejected(answer.failure(.creditsExhausted))
        case 429: .rejected(answer.failure(.rateLimited))
        // A proxy that lost patience.
        case 408, 499: .unknown(answer.failure(.answerLost))
        case 300..<500: .rejected(answer.failure(.providerUnavailable))
        // Success or a gateway's fault: the request may have come through behind it.
        default: .unknown(answer.failure(.answerLost))
        }
    }

    static func failureCode(_ code: Int, _ message: String) -> FailureCode {
        switch code {
        case 401, 403: .keyRefused
        case 402, 433: .creditsExhausted
        case 404: .modelUnavailable
        case 422: ProviderMessages.speaksOfModel(message) ? .modelUnavailable : .invalidInput
        case 400, 413, 415: .invalidInput
        case 429: .rateLimited
        case 451: .inputUnusable
        case 455: .providerUnavailable
        case 501, 408: TaskFailure.code(failCode: nil, message: message, otherwise: .providerFault)
        case 505: .modelDisabled
        default:
            if ProviderMessages.speaksOfCredits(message) {
                .creditsExhausted
            } else if code == 500, !ProviderMessages.isPassingFault(message), ProviderMessages.speaksOfInput(message) {
                .invalidInput
            } else {
                .providerUnavailable
            }
        }
    }
}

/// The `data` of an answer that names a task.
private struct CreatedTask: Decodable {
    /// Its id, under one of the names that are seen; nil when it is missing or empty.
    var id: TaskID?

    private enum Key: String, CodingKey {
        case taskId, recordId
        case snakeCased = "task_id"
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        let text = try fields.text(.taskId) ?? fields.text(.recordId) ?? fields.text(.snakeCased)
        id = text.flatMap { $0.isEmpty ? nil : TaskID($0) }
    }
}
