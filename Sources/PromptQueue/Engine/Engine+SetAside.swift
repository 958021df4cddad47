// What the ledger refuses to take for good: one attempt or result is left alone, and everything else goes on.
extension Engine {
    /// A change was refused by a rule of the ledger. What it said is in the log, and in the journal of outcomes; the next
    /// start tries again.
    mutating func recordRefused(
        _ change: LedgerChange,
        _ error: LedgerError,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        recordsUnderWay -= 1
        switch change {
        case .accepted(let attempt, _, _), .rejected(let attempt, _, _), .unknown(let attempt, _),
            .taskSucceeded(let attempt, _, _, _, _, _), .taskFailed(let attempt, _, _, _, _), .gaveUp(let attempt),
            .hintRefuted(let attempt, _), .progressed(let attempt, _):
            leaveAlone(attempt)
            record(.setAside(attempt, reason: error.message), &effects)
        case .resultSaved(let result, _), .resultFailed(let result, _), .resultDelayed(let result, _):
            downloads.drop(result)
        case .balance:
            firstReadingBy = nil
        case .setAside, .gates, .limits, .rules, .trouble:
            return
        }
        record(.trouble("the ledger refused what happened: \(error.message)"), &effects)
    }

    private mutating func leaveAlone(_ attempt: AttemptID) {
        polls.remove(attempt)
        tasks[attempt] = nil
        lostAnswers[attempt] = nil
        hints[attempt] = nil
        providerStates[attempt] = nil
    }
}
