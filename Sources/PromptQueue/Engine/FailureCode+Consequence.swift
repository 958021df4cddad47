/// What a failure means for its job and for the others.
extension FailureCode {
    /// What becomes of the job.
    package enum Retry: Sendable, Hashable {
        /// It fails: trying again cannot help, or might pay twice.
        case never
        /// It is tried again after a while, and that counts as an attempt.
        case counted
        /// It keeps its place, uncounted: nothing was made, and a gate or the rate window holds it.
        case uncounted
        /// It is tried again after a while, uncounted: whatever is wrong is not its fault.
        case deferred
        /// As `deferred` while the provider fails others too. A request that alone meets a fault counts: one that always
        /// provokes it would come back for ever.
        case deferredInOutage

        /// Whether a task that ended so is worth another one, which is paid for.
        var isAnotherAttempt: Bool {
            switch self {
            case .counted, .deferred, .deferredInOutage: true
            case .never, .uncounted: false
            }
        }
    }

    /// What is closed until it has passed.
    package enum Subject: Sendable, Hashable {
        case key, credits, keyCap, provider
        /// The job's model.
        case model

        func gate(model: String) -> GateKind {
            switch self {
            case .key: .key
            case .credits: .credits
            case .keyCap: .keyCap
            case .provider: .provider
            case .model: .model(model)
            }
        }
    }

    package var consequence: (retry: Retry, closes: Subject?) {
        switch self {
        case .keyRefused: (.uncounted, .key)
        case .creditsExhausted: (.uncounted, .credits)
        case .keyCapReached: (.uncounted, .keyCap)
        case .modelDisabled: (.uncounted, .model)
        case .rateLimited: (.uncounted, nil)
        case .providerMaintenance: (.deferred, .provider)
        case .providerUnavailable: (.deferredInOutage, .provider)
        case .providerFault, .notSent: (.counted, nil)
        case .invalidInput, .unknownModel, .modelUnavailable, .contentRefused, .inputUnusable, .inputFailed,
            .inputMissing, .uploadFailed, .taskFailed,
            .emptyResult,
            .taskLost, .downloadFailed, .answerLost, .settledByOperator, .setAside:
            (.never, nil)
        }
    }
}
