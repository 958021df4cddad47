/// What an unconfirmed job waits for, and until when.
package struct UnconfirmedWait {
    package let policy: UnconfirmedPolicy
    /// When the policy acts.
    package let until: Instant
    /// Whether the job may be sent once more.
    package let hasAttempts: Bool
    /// What the account's balance says of the lost request; nil if it says nothing.
    package let wasCharged: Bool?

    package var object: JSONObject {
        [
            "policy": .string(policy.rawValue),
            "until": policy == .resubmit ? JSONValue(until) : .null,
            "then": .string(policy != .resubmit ? policy.rawValue : hasAttempts ? "resubmit" : "fail"),
            "charged_by_balance": wasCharged.map { .bool($0) } ?? .null,
        ]
    }
}

extension JobDetails {
    /// Nil unless the job is unconfirmed.
    package var waiting: UnconfirmedWait? {
        guard job.state == .unconfirmed,
            let lost = attempts.last(where: { $0.state == .unknown && $0.finishedAt == nil }),
            let lostAt = lost.answeredAt
        else { return nil }
        return UnconfirmedWait(
            policy: rules.unconfirmedPolicy,
            until: lostAt + rules.unconfirmedWindow,
            hasAttempts: job.attemptCount < job.maxAttempts,
            wasCharged: lost.wasCharged
        )
    }
}
