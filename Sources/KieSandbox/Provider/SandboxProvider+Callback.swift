package import PromptQueue

/// A callback as it goes out.
package struct CallbackRequest: Sendable, Hashable {
    package let id: TaskID
    package let url: String
    package let body: String
    /// `X-Webhook-Timestamp` and `X-Webhook-Signature`; none without a key.
    package let headers: [String: String]
    /// How often it is delivered.
    package let copies: Int
}

extension SandboxProvider {
    /// The callback that tells of task `id`'s end, if it asked for one and has ended by `now`.
    package mutating func callback(for id: TaskID, now: Instant) -> CallbackRequest? {
        settle(until: now)
        guard let task = tasks[id], let url = task.callbackURL, task.hasEnded(at: now) else { return nil }
        var record = task.record(at: now, baseURL: baseURL, isCallback: true)
        if task.callbackFault == .callbackOldForm { record.add("remainedCredits", balance) }
        var body = WireObject()
        body.add("code", task.isFailing ? 501 : 200)
        body.add("msg", task.isFailing ? "Playground task failed." : "Playground task completed successfully.")
        body.add("data", json: record.json)

        var headers: [String: String] = [:]
        if let key = configuration.hmacKey {
            let isStale = task.callbackFault == .callbackStale
            let seconds = now.milliseconds / 1_000 - (isStale ? 600 : 0)
            let isForged = task.callbackFault == .callbackForged
            let signature = WebhookSignature(taskID: id, seconds: seconds, key: isForged ? key + "-not" : key)
            headers["X-Webhook-Timestamp"] = String(seconds)
            headers["X-Webhook-Signature"] = signature.text
        }
        let copies = task.callbackFault == .callbackTwice ? 2 : 1
        return CallbackRequest(id: id, url: url, body: body.json, headers: headers, copies: copies)
    }

    /// Notes how the delivery of a callback went.
    package mutating func noteCallback(attempts: Int, isDelivered: Bool) {
        statistics.callbackAttempts += attempts
        if isDelivered {
            statistics.callbacksDelivered += 1
        } else {
            statistics.callbacksFailed += 1
        }
    }
}
