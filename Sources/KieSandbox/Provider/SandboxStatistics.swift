import PromptQueue

/// What the sandbox has seen and done: `GET /sandbox/stats`.
struct SandboxStatistics: Sendable {
    /// Requests to `createTask`, whatever was answered; those that the CDN turned away not included.
    var arrivals: SlidingLog
    var refusedByRate = 0
    /// Answers of `createTask` by label.
    var createTaskAnswers: [String: Int] = [:]
    var tasksMade = 0
    /// Tasks that the client was never told of.
    var lostAnswers = 0
    var charged = Credits.zero
    var refunded = Credits.zero
    /// Credits added by hand.
    var added = Credits.zero

    /// Requests to `recordInfo`, whatever was answered.
    var pollArrivals: SlidingLog
    var polls = 0
    var refusedPolls = 0
    var recordInfoAnswers: [String: Int] = [:]

    var mediaRequests = 0
    /// Files sent without a fault.
    var mediaServed = 0
    /// Answers with a part of a file, because a part was asked for.
    var mediaParts = 0

    /// Requests to upload a file, whatever was answered.
    var uploads = 0
    var uploadedBytes = 0

    /// Callbacks that a receiver answered with 200.
    var callbacksDelivered = 0
    /// Requests made to deliver them.
    var callbackAttempts = 0
    /// Callbacks given up after the last retry.
    var callbacksFailed = 0

    init(rateWindow: Duration, pollWindow: Duration) {
        arrivals = SlidingLog(window: rateWindow)
        pollArrivals = SlidingLog(window: pollWindow)
    }
}
