/// What the engine wants done. Each comes back as an event, but for `cancelDownload`, `wake`, `notify` and `stop`.
package enum EngineEffect: Sendable {
    case claim(ClaimRequest)
    case submit(ClaimedJob)
    /// Commit and sync, again and again until it succeeds.
    case record(LedgerChange)
    case poll(OpenTask)
    case download(PendingDownload)
    /// Ask the ledger which of these results nobody waits for any more.
    case checkDownloads([ResultID])
    /// Nobody waits for the result any more: cut its download off if it is under way, and remove what is there of it.
    case cancelDownload(ResultID)
    /// The file was saved after its job was cancelled: remove it.
    case discard(ResultID, SavedFile)
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
    /// The provider said that there were too many requests; fewer are sent from now on.
    case rateShrunk(from: RateLimit, to: RateLimit)
    case rateWhole(RateLimit)
    case budgetHeld(BudgetHold, BudgetSkip)
    case budgetReleased(BudgetHold)
    /// Four fifths of it are reserved or spent; said once in each of its periods.
    case budgetNearlyUsed(BudgetHeadroom)
    /// Submissions wait for the sake of `credits.reserve`.
    case reserveHeld(message: String)
    case reserveReleased
    case jobRefused(RefusedJob)
    /// The ledger could not claim it, and leaves it alone.
    case jobSetAside(SetAside)
    /// The provider reported success, and the result is not to be seen yet.
    case resultAwaited(OpenTask)
    case attemptFailed(ClaimedJob, Failure, then: FailureDisposition)
    case jobUnconfirmed(ClaimedJob, Failure)
    /// A callback named the task of a job whose answer was lost, and the provider knows it.
    case jobConfirmed(OpenTask)
    /// A callback named a task that is not taken for the job's.
    case hintDropped(OpenTask, reason: String)
    /// The balance proves that the job's request was not charged; it is queued again.
    case jobCleared(JobID, JobOrigin?, evidence: String)
    /// No news came in time; `state` is what became of the job.
    case jobGivenUp(JobID, JobOrigin?, state: JobState)
    /// The account and the ledger differ by another amount than before.
    case accountDiffers(AccountStanding)
    /// The provider has not known a task for some minutes. It is asked about all the same.
    case taskMissing(OpenTask)
    case taskSucceeded(OpenTask, charged: Credits?)
    case taskFailed(OpenTask, Failure, then: FailureDisposition)
    case resultSaved(ResultID, JobOrigin?, SavedFile)
    /// A result could not be fetched the first time; it is tried again.
    case resultDelayed(ResultID, JobOrigin?, String)
    case resultFailed(ResultID, JobOrigin?, String)
}
