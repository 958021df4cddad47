extension ChangeOutcome {
    /// Jobs that were left as they were, because they are on their way.
    package var stayedBeingSent: String? {
        guard beingSent > 0 else { return nil }
        return "\(count(beingSent, "job")) being sent just now stayed; try again in a moment, when the answer is there"
    }

    /// Jobs that somebody had cancelled, and that were left so.
    package var stayedCancelled: String? {
        leftCancelled > 0 ? "\(count(leftCancelled, "cancelled job")) stayed" : nil
    }
}

extension Resolution {
    /// `queued 2 jobs again: 28 credits (estimated)`.
    package func sentence(_ outcome: ChangeOutcome, dryRun: Bool) -> String {
        let jobs = count(outcome.changed, "job")
        switch self {
        case .task(let task): return "\(dryRun ? "would follow" : "follows") task \(task) for \(jobs)"
        case .resubmit:
            return "\(dryRun ? "would queue" : "queued") \(jobs) again: \(outcome.toPay.inWords) (estimated)"
        case .fail:
            return "\(dryRun ? "would give up" : "gave up") \(jobs); \(outcome.staysCharged.inWords) count as spent"
        }
    }
}
