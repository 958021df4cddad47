/// Where the outcome of a paid request is kept when the ledger cannot take it: the next start takes it from there.
package protocol OutcomeJournal: Sendable {
    /// Keeps a change, synced, if it is one that only the provider's answer told; others are found out again.
    func append(_ change: LedgerChange, at instant: Instant) throws(LedgerError)
}

/// Such a journal, as the next start finds it.
package protocol OutcomeStore: OutcomeJournal {
    /// What is kept: the changes with their instants, and how many could not be read.
    func read() throws(LedgerError) -> (entries: [(LedgerChange, Instant)], unreadable: Int)

    /// Forgets what was kept, or puts it aside for a person to see if some of it could not be taken.
    ///
    /// - Returns: where it was put.
    func clear(keeping: Bool, now: Instant) throws(LedgerError) -> String?
}

extension LedgerChange {
    /// The request whose answer this is, with the task that it named.
    package var outcome: (attempt: AttemptID, task: TaskID?)? {
        switch self {
        case .accepted(let attempt, let task, _): (attempt, task)
        case .rejected(let attempt, _, _): (attempt, nil)
        case .unknown, .progressed, .taskSucceeded, .taskFailed, .resultDelayed, .resultSaved, .resultFailed, .gates,
            .balance, .gaveUp, .hintRefuted, .setAside, .limits, .rules, .trouble:
            nil
        }
    }
}
