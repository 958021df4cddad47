import PromptQueue

/// A task as the provider knows it.
struct SimulatedTask {
    enum Ending {
        case success([TaskOutput])
        /// Success without a result.
        case empty
        /// Worth another attempt, or not.
        case failure(isPassing: Bool)
    }

    let id: String
    /// The request that made it: the simulation knows, promptd may not.
    let attempt: AttemptID
    let job: JobID
    let price: Int64
    let createdAt: Duration
    let visibleAt: Duration
    let endsAt: Duration
    /// From then on the provider no longer knows it.
    let vanishesAt: Duration?
    /// From then on its result is to be seen.
    let resultAt: Duration
    let ending: Ending
    let reportsCharge: Bool
    /// Whether a failure is given back.
    let refunds: Bool
    /// Whether its end has been booked on the account.
    var hasEnded = false

    /// What the account has paid for it in the end.
    var bill: Int64 {
        if case .success = ending { return price }
        return refunds ? 0 : price
    }

    /// Whether the provider says that it has succeeded, with a result or without.
    var hasSucceeded: Bool {
        if case .failure = ending { false } else { true }
    }

    /// Whether there is something to bring home.
    var outputs: [TaskOutput] {
        if case .success(let outputs) = ending { outputs } else { [] }
    }
}
