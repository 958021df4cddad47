import PromptQueue

/// One of the provider's codes, and what it means at each endpoint. A code is an HTTP status by its number, and stands in the
/// JSON of an answer at HTTP 200; what is not here proves nothing.
///
/// The sources are the API's documentation and recorded answers.
struct AnswerCode {
    /// At `createTask`: what went wrong, if the code and its text prove that no task was made.
    var refusal: @Sendable (_ message: String) -> FailureCode?
    /// At `recordInfo`, and, as far as it is about the question, at the account's balance and at fresh URLs.
    var question: Question = .failed(.providerUnavailable)

    enum Question: Equatable {
        /// The task's record.
        case answered
        /// There is no such task, or not yet.
        case notFound
        /// It speaks of the task, which has failed, and not of the question.
        case taskFailed
        /// The question itself failed.
        case failed(FailureCode)
    }

    private static func always(_ code: FailureCode) -> @Sendable (String) -> FailureCode? { { _ in code } }

    static let known: [Int: AnswerCode] = [
        200: AnswerCode(refusal: { _ in nil }, question: .answered),
        // Seen: "You do not have access permissions"; as HTTP 401 "Unauthorized – Authentication failed."
        401: AnswerCode(refusal: always(.keyRefused), question: .failed(.keyRefused)),
        403: AnswerCode(refusal: always(.keyRefused), question: .failed(.keyRefused)),
        // Seen: "Credits insufficient : …", before any charge.
        402: AnswerCode(refusal: always(.creditsExhausted)),
        // Documented: a key's own cap, "Sub-key Usage Exceeds Limit".
        433: AnswerCode(refusal: always(.keyCapReached)),
        // Documented for models that are not served.
        404: AnswerCode(refusal: always(.modelUnavailable), question: .notFound),
        // "No upstream result for 10 minutes": of a task.
        408: AnswerCode(refusal: { _ in nil }, question: .taskFailed),
        // Seen: "The model name you specified is not supported. …", "This field is required".
        422: AnswerCode(
            refusal: { ProviderMessages.speaksOfModel($0) ? .modelUnavailable : .invalidInput },
            question: .notFound
        ),
        // Documented: over the rate nothing is queued.
        429: AnswerCode(refusal: always(.rateLimited), question: .failed(.rateLimited)),
        // Documented: an input's URL could not be downloaded.
        451: AnswerCode(refusal: always(.inputUnusable)),
        // Documented: maintenance.
        455: AnswerCode(refusal: always(.providerMaintenance)),
        500: AnswerCode(refusal: serverError),
        // "Generation failed": of a task.
        501: AnswerCode(refusal: { _ in nil }, question: .taskFailed),
        // Documented: this model is switched off.
        505: AnswerCode(refusal: always(.modelDisabled)),
    ]

    /// Code 500 is three things, which the text alone tells apart; and otherwise nobody knows.
    @Sendable private static func serverError(_ message: String) -> FailureCode? {
        // Seen under 402, and by one client under 500.
        if ProviderMessages.speaksOfCredits(message) { return .creditsExhausted }
        // Seen: "Server exception, please try again later", with nothing made.
        if ProviderMessages.isServerException(message) { return .providerUnavailable }
        // Reported by several clients: "aspect_ratio is required", "… is not within the range of allowed options".
        return ProviderMessages.refusesField(message) ? .invalidInput : nil
    }
}
