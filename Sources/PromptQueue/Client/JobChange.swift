/// What a producer may do to jobs.
package enum JobChange: Sendable {
    case cancel
    /// - Parameter edit: what is changed of what the jobs ask for; nil: nothing.
    case retry(JobEdit? = nil)

    package static var retry: JobChange { .retry(nil) }

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

    /// The states that a filter without states means. Whoever cancelled a job did not mean it to be tried again with others
    /// that failed.
    package var usualOrigins: Set<JobState> {
        switch self {
        case .cancel: origins
        case .retry: [.failed]
        }
    }
}

/// What is to be changed of what a job asks for.
package struct JobEdit: Sendable {
    /// nil: stays.
    package var prompt: String?
    /// Fields of the input; `null` removes one.
    package var input: JSONObject
    package var allowsUnknownFields: Bool?

    package init(prompt: String? = nil, input: JSONObject = [:], allowsUnknownFields: Bool? = nil) {
        self.prompt = prompt
        self.input = input
        self.allowsUnknownFields = allowsUnknownFields
    }
}

/// What became of a change of several jobs, and what it means for money.
package struct ChangeOutcome: Sendable {
    /// How many jobs were changed.
    package var changed = 0
    /// The jobs that stayed as they were, with the reason.
    package var refused: [(job: JobID, reason: String)] = []
    /// Jobs that match, and are being sent just now.
    package var beingSent = 0
    /// Cancelled jobs that match, and that a retry was not meant for.
    package var leftCancelled = 0
    /// Of those changed: what is paid for is taken up again.
    package var resumed = 0
    /// Of those changed: their tasks had failed. They are asked about once more, and paid for if that is so.
    package var askedAgain = 0
    /// Of those changed: a request may have made a task, which somebody has to find out.
    package var unconfirmed = 0
    /// Of those changed: the next request is paid for.
    package var jobsToPay = 0
    /// What these, and those that are asked about again, cost by the estimates that are known and hold.
    package var toPay = Credits.zero
    /// The others of them, by what decides on their price.
    package var unpriced: [UnpricedJobs] = []
    /// Of those changed: the provider has a task of them, or may have one.
    package var atProvider = 0
    /// What is charged for these, or held back.
    package var staysCharged = Credits.zero
    /// Jobs that fail with those cancelled, because they take their results.
    package var followers = 0

    package init() {}
}
