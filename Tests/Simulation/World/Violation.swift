/// A promise of promptd's that a run can break.
package enum Invariant: String, Error, Sendable, CaseIterable {
    /// A task at the provider belongs to exactly one attempt of the ledger, and a rejected attempt has none.
    case taskHasAttempt = "task has its attempt"
    /// No request for a job while an earlier one may have been billed and is unresolved.
    case nothingPaidTwice = "nothing is paid twice"
    /// A claim never takes what is reserved and charged past a budget's limit.
    case budget = "budget"
    /// No window at the server holds more requests than the limit.
    case rate = "rate window"
    /// No second at the server holds more polls than the limit.
    case polls = "polls per second"
    /// The ledger's reserved and charged amounts are those that the history of events gives.
    case books = "books"
    /// What the ledger says was charged is what the provider billed and reported.
    case bills = "bills"
    /// What was paid for is saved, or listed with the reason why it is not.
    case results = "nothing paid for is lost"
    /// `attempt_count` never passes `max_attempts`.
    case attemptCount = "attempts counted"
    /// A balance that is taken as proof that nothing was charged does not err.
    case evidence = "evidence"
    /// The engine never asks to be woken in the past, nor spins.
    case wake = "wake"
    /// The engine never sleeps for ever while there is work.
    case liveness = "liveness"
    /// A paid task is asked about until it ends, whatever is paused or cancelled.
    case tracking = "tracking"
    /// Nothing is claimed from a paused queue, before its time, or past a limit of running tasks.
    case claim = "claim"
    /// Every job ends, or shows why not.
    case ending = "every job ends"
    /// A stop ends within its grace, and leaves nothing open that was answered or not sent.
    case drain = "drain"
    /// Of several daemons, one works on a job at a time: what one had is taken over when nothing of it can be under way any more.
    case lease
    /// The ledger takes every change that the engine decides.
    case recording = "recording"
}

/// How a promise was broken.
package struct Violation: Error, Sendable, CustomStringConvertible {
    package var invariant: Invariant
    package var detail: String
    /// True time since the world began.
    package var at: Duration = .zero

    init(_ invariant: Invariant, _ detail: String) {
        self.invariant = invariant
        self.detail = detail
    }

    package var description: String { "[\(invariant.rawValue)] at \(Trace.text(at)): \(detail)" }
}
