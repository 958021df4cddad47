/// A change of a job's state, as the ledger noted it in the transaction that made it.
package struct JobEvent: Sendable, Hashable {
    package var sequence: EventSequence
    package var job: JobID
    /// nil: the job was added.
    package var previous: JobState?
    package var state: JobState
    /// Queue, batch and error as they were then.
    package var queue: String
    package var batch: String?
    package var errorCode: String?
    package var at: Instant

    package init(
        sequence: EventSequence,
        job: JobID,
        previous: JobState?,
        state: JobState,
        queue: String,
        batch: String?,
        errorCode: String?,
        at: Instant
    ) {
        self.sequence = sequence
        self.job = job
        self.previous = previous
        self.state = state
        self.queue = queue
        self.batch = batch
        self.errorCode = errorCode
        self.at = at
    }
}

/// Which events are asked for.
package struct EventQuery: Sendable {
    /// Only later ones; nil: the last ones that there are.
    package var after: EventSequence?
    package var job: JobID?
    /// Empty: any.
    package var states: Set<JobState> = []
    package var queue: String?
    package var batch: String?
    package var limit: Int

    package init(after: EventSequence? = nil, limit: Int) {
        self.after = after
        self.limit = limit
    }
}

/// Which events there are.
package struct EventRange: Sendable, Hashable {
    /// The last one that was ever noted.
    package var latest: EventSequence
    /// The last one of those that were removed. Whoever has read less far may have missed something.
    package var removed: EventSequence

    package init(latest: EventSequence, removed: EventSequence) {
        self.latest = latest
        self.removed = removed
    }
}
