/// What the engine is told.
package enum EngineEvent: Sendable {
    /// The ledger is ours and in order.
    case started(Recovery)
    /// Another process has committed to the ledger.
    case ledgerChanged
    case claimed(Claim)
    case claimFailed(LedgerError)
    case submitted(AttemptID, SubmissionOutcome)
    /// `origin`: what the task was made from, as far as the provider said.
    case polled(AttemptID, PollOutcome, origin: TaskEcho? = nil)
    case downloaded(ResultID, DownloadOutcome)
    /// Which of the results that were asked about nobody waits for any more; nil: the ledger could not be read.
    case downloadsChecked(unwanted: [ResultID]?)
    /// A file that nobody waits for is removed.
    case discarded(ResultID)
    /// A change is committed and synced.
    case recorded(LedgerChange, CommitResult)
    /// A rule of the ledger refuses a change; everything else goes on.
    case recordRefused(LedgerChange, LedgerError)
    /// A change can never be committed; the daemon is ending.
    case recordAbandoned(LedgerChange)
    /// A change cannot be committed for now; it is tried again until it can.
    case recordStalled(LedgerError)
    /// Changes can be committed again.
    case recordResumed
    /// Paid work that producers took up again.
    case resumed(Recovery)
    case balance(Credits)
    /// Another account's engine has settled something: there may be room in a budget or a queue, and, if so it says, jobs of
    /// this account that have become due by it.
    case settledElsewhere(mayBeDue: Bool)
    /// The balance could not be read.
    case balanceUnknown(Failure)
    /// Somebody says that there is news of a task. `candidate` is the attempt with the task that was named, for the case
    /// that its answer was lost.
    case hinted(AttemptID, candidate: OpenTask? = nil)
    /// So many daemons ask the provider about tasks of this account.
    case members(Int)
    /// The key and the limits were reloaded.
    case reloaded(EngineSettings)
    /// The time that the last `wake` asked for has come.
    case tick
    /// Stop claiming; finish what is under way.
    case drain
}

/// How one `createTask` exchange ended. Exactly one of these, whatever happened.
package enum SubmissionOutcome: Sendable, Hashable {
    /// Answered: the provider made a task.
    case accepted(TaskID, httpStatus: Int)
    /// Answered: the provider made no task.
    case rejected(Failure)
    /// The request certainly never reached the provider.
    case notSent(Failure)
    /// The request may have reached the provider, and no answer tells what came of it.
    case unknown(Failure)
}

/// What one question about a task brought.
package enum PollOutcome: Sendable, Hashable {
    /// Not ended. The state is the provider's word; unknown words are not final.
    case pending(providerState: String)
    /// `took`: from its creation to its completion by the provider's clock, if it said. `unread`: the result as the
    /// provider gave it, if it holds more than the outputs do.
    case succeeded([TaskOutput], charged: Credits?, took: Duration? = nil, unread: String? = nil)
    case failed(Failure, charged: Credits?, took: Duration? = nil)
    /// The provider does not know the task, or not yet.
    case notFound
    /// The poll itself failed; nothing was learnt about the task.
    case unavailable(Failure)
}

package enum DownloadOutcome: Sendable, Hashable {
    case saved(SavedFile)
    case failed(DownloadFailure, message: String)
}

/// Why a result could not be fetched, and so what to do about it.
package enum DownloadFailure: Sendable, Hashable, CaseIterable {
    /// The URL must not be fetched, or what it leads to cannot be kept.
    case refused
    /// The server does not know the file, under a fresh URL neither.
    case gone
    /// The server or the network; it may pass.
    case passing
    /// This machine cannot store it: the disk is full, or the media directory cannot be written.
    case local
    /// It was cut off by us, which says nothing about the file.
    case interrupted
}
