import PromptQueue

extension UnconfirmedWait {
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
}
