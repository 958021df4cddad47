import JobStore
import PromptQueue

/// What an unconfirmed job waits for, and until when.
struct UnconfirmedWait {
    let policy: UnconfirmedPolicy
    /// When the policy acts.
    let until: Instant
    /// Whether the job may be sent once more.
    let hasAttempts: Bool
    /// Whether the account's balance shows that the lost request was charged.
    let wasCharged: Bool

    func lines(_ console: Console) -> [String] {
        let charged =
            wasCharged ? ["The account's balance shows that it was charged: look for its task at the provider."] : []
        let rest =
            "If the account's balance proves that nothing was charged, it is queued again by itself (uncounted)."
        switch policy {
        case .hold:
            return charged + [
                "Waiting for news, without an end: it is not sent again unless somebody says so "
                    + "(unconfirmed.policy is hold)."
            ] + (wasCharged ? [] : [rest])
        case .resubmit:
            let what = hasAttempts ? "it is sent again" : "it fails, for its attempts are used up"
            return charged + [
                "Waiting for news until \(console.time(until)); without any, \(what), and what is reserved counts as spent "
                    + "(unconfirmed.policy is resubmit)."
            ] + (wasCharged ? [] : [rest])
        }
    }

    var object: JSONObject {
        [
            "policy": .string(policy.rawValue),
            "until": policy == .hold ? .null : JSONValue(until),
            "then": .string(policy == .hold ? "hold" : hasAttempts ? "resubmit" : "fail"),
        ]
    }
}

extension JobDetails {
    /// Nil unless the job is unconfirmed.
    var waiting: UnconfirmedWait? {
        guard job.state == .unconfirmed,
            let lost = attempts.last(where: { $0.state == .unknown && $0.finishedAt == nil }),
            let lostAt = lost.answeredAt
        else { return nil }
        return UnconfirmedWait(
            policy: rules.unconfirmedPolicy,
            until: lostAt + rules.unconfirmedWindow,
            hasAttempts: job.attemptCount < job.maxAttempts,
            wasCharged: lost.evidence != nil
        )
    }
}
