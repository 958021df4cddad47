/// What the engine wants done. Each comes back as an event, but for `wake`, `notify` and `stop`.
package enum EngineEffect: Sendable {
    case claim(ClaimRequest)
    case submit(ClaimedJob)
    /// Commit and sync, again and again until it succeeds.
    case record(LedgerChange)
    case poll(OpenTask)
    case download(PendingDownload)
    case checkBalance
    /// Send `tick` at this uptime. Replaces any earlier one.
    case wake(at: Duration)
    case notify(Notice)
    /// Everything that was under way is finished and recorded.
    case stop
}

/// What operators should hear about, once.
package enum Notice: Sendable {
    case gateClosed(GateKind, message: String)
    case gateOpened(GateKind)
    case rateLimited
    case jobRefused(RefusedJob)
    case attemptFailed(AttemptID, JobID, Failure, then: Aftermath)
    case jobUnconfirmed(AttemptID, JobID, Failure)
    /// A callback named the task of a job whose answer was lost, and the provider knows it.
    case jobConfirmed(AttemptID, JobID)
    /// A callback named a task that is not taken for the job's.
    case hintDropped(AttemptID, JobID, reason: String)
    case taskSucceeded(OpenTask, charged: Credits?)
    case taskFailed(OpenTask, Failure, then: Aftermath)
    case resultSaved(ResultID, SavedFile)
    case resultFailed(ResultID, String)
}
