extension LedgerChange {
    /// Whether jobs of other accounts may have become due by it, once it is committed; false if it may have made room for them; nil
    /// if it means nothing to them.
    ///
    /// Budgets, limits of queues and chains know no accounts, and a queue may have come to another account while its job ran.
    /// What others commit to the ledger they notice; what this process commits for another account they are told.
    package func makesDueElsewhere(_ result: CommitResult) -> Bool? {
        if result.feedsOthers { return true }
        switch self {
        case .rejected(_, _, let then), .taskFailed(_, _, _, let then, _):
            if case .retry = then { return true }
            return false
        case .unknown, .taskSucceeded, .resultSaved, .resultFailed: return false
        case .gaveUp: return true
        case .balance: return result.settled.isEmpty ? nil : true
        case .accepted, .progressed, .resultDelayed, .gates, .hintRefuted, .setAside, .limits, .rules, .trouble:
            return nil
        }
    }
}
