import PromptQueue

/// What an unconfirmed job waits for, and until when.
struct UnconfirmedWait {
    let policy: UnconfirmedPolicy
    /// When the policy acts.
    let until: Instant
    /// Whether the job may be sent once more.
    let hasAttempts: Bool
    /// What the account's balance says of the lost request; nil if it says nothing.
    let wasCharged: Bool?

    func lines(_ console: Console) -> [String] {
        evidence + [wait(console)]
    }

    private func wait(_ console: Console) -> String {
        switch policy {
        case .hold:
            "Waiting for news, without an end: it is not sent again unless somebody says so "
                + "(unconfirmed.policy is hold)."
        case .evidence:
            "Waiting for news, or until the account's balance shows no charge for it: then it is sent again, "
                + "uncounted (unconfirmed.policy is evidence)."
        case .resubmit:
            "Waiting for news until \(console.time(until)); without any, "
                + (hasAttempts ? "it is sent again" : "it fails, for its attempts are used up")
                + ", and what is reserved counts as spent (unconfirmed.policy is resubmit)."
        }
    }

    private var evidence: [String] {
        switch wasCharged {
        case true?: ["The account's balance shows that it was charged: look for its task at the provider."]
        case false?:
            [
                "The account's balance shows no charge for it. That is no proof: a request can arrive later. To send all "
                    + "such jobs again: promptctl resolve --resubmit --uncharged."
            ]
        case nil: []
        }
    }

    var object: JSONObject {
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
    var waiting: UnconfirmedWait? {
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
