package import PromptQueue

/// Reads the answer to `createTask`.
package enum CreateTaskAnswer {
    /// - Returns: `accepted`, `rejected`, or `unknown` when the answer does not prove that no task was made.
    package static func outcome(httpStatus: Int, body: [UInt8]) -> SubmissionOutcome {
        outcome(httpStatus: httpStatus, body: body, headers: AnswerHeaders())
    }

    static func outcome(httpStatus: Int, body: [UInt8], headers: AnswerHeaders) -> SubmissionOutcome {
        let found = judged(httpStatus: httpStatus, body: body)
        guard case .rejected(var failure) = found else { return found }
        if failure.code == .rateLimited { failure.retryAfter = headers.retryAfter }
        if (300..<400).contains(httpStatus), let location = headers.location {
            failure.message += ": it redirects to \(location), which is not followed; is provider.baseURL right?"
        }
        return .rejected(failure)
    }

    private static func judged(httpStatus: Int, body: [UInt8]) -> SubmissionOutcome {
        let answer = Answer(httpStatus: httpStatus, body: body)
        guard let code = answer.code else {
            return Refusals.ofOthers(answer).map { .rejected(answer.failure($0)) }
                ?? .unknown(answer.failure(.answerLost))
        }
        if code == 200 {
            guard let task = task(answer.data) else {
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
        return Refusals.ofAPI(answer, code: code).map { .rejected(answer.failure($0)) }
            ?? .unknown(answer.failure(.answerLost))
    }

    /// The task that `data` names, under one of the names that are seen; nil when none is a usable id.
    private static func task(_ data: JSONValue?) -> TaskID? {
        guard let fields = data?.objectValue else { return nil }
        return (fields.text("taskId") ?? fields.text("recordId") ?? fields.text("task_id")).flatMap(
            TaskID.init(usable:)
        )
    }
}

extension TaskID {
    /// Task ids are opaque; this keeps out what cannot be one.
    static let longest = 200

    /// Nil unless it is a text of 1 to 200 bytes without spaces and control characters.
    init?(usable text: String) {
        guard !text.isEmpty, text.utf8.count <= Self.longest,
            text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F })
        else { return nil }
        self.init(text)
    }
}
