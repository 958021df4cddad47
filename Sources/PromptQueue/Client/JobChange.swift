/// What a producer may do to jobs.
package enum JobChange: Sendable {
    case cancel, retry

    package var target: JobState {
        switch self {
        case .cancel: .cancelled
        case .retry: .queued
        }
    }

    /// The states from which it is possible.
    package var origins: Set<JobState> {
        switch self {
        case .cancel: [.queued, .running, .unconfirmed]
        case .retry: [.failed, .cancelled]
        }
    }
}

/// What became of a change of several jobs.
package struct ChangeOutcome: Sendable {
    /// How many jobs were changed.
    package var changed = 0
    /// The jobs that stayed as they were, with the reason.
    package var refused: [(job: JobID, reason: String)] = []

    package init() {}
}
