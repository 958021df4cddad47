/// Where a job stands. The ledger's triggers enforce the transitions; docs/database.md draws them.
package enum JobState: String, Sendable, Hashable, CaseIterable, Codable {
    case queued
    case submitting
    case running
    case succeeded
    case failed
    case cancelled
    /// Sent, but the answer was lost: the provider may have made, and charged for, a task.
    case unconfirmed

    /// Whether nothing more happens to the job by itself.
    package var isFinal: Bool {
        switch self {
        case .succeeded, .failed, .cancelled: true
        case .queued, .submitting, .running, .unconfirmed: false
        }
    }

    /// The states that a job can go to from here. From `queued` it goes to `running` and `unconfirmed` in one step when it was put
    /// back there to take up what is paid for.
    package var successors: Set<JobState> {
        switch self {
        case .queued: [.submitting, .running, .failed, .cancelled, .unconfirmed]
        case .submitting: [.queued, .running, .failed, .unconfirmed]
        case .running: [.queued, .succeeded, .failed, .cancelled]
        case .succeeded: []
        // What has failed because a job failed whose result it takes can be cancelled together with that one.
        case .failed: [.queued, .cancelled]
        case .cancelled: [.queued]
        case .unconfirmed: [.queued, .running, .failed, .cancelled]
        }
    }
}

/// What became of one `createTask` request.
package enum AttemptState: String, Sendable, Hashable, CaseIterable, Codable {
    /// Committed to the ledger; the request may be on its way.
    case sending
    /// The provider made a task and named it.
    case accepted
    /// The provider made no task.
    case rejected
    /// No answer that tells: a task may exist.
    case unknown
}

/// Who said that a task is a request's.
package enum TaskSource: String, Sendable, Hashable, CaseIterable, Codable {
    /// The answer to the request.
    case answer
    /// A callback named it, and the provider has confirmed it.
    case callback
    /// An operator, for a lost request.
    case `operator`
}

/// Where one result file stands.
package enum ResultState: String, Sendable, Hashable, CaseIterable, Codable {
    case pending
    case saved
    case failed
}
