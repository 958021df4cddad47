/// What the ledger says once a change is committed.
package struct CommitResult: Sendable {
    /// The job as the change left it; nil where the change concerns no job, or the job's row is gone.
    package var job: RecordedJob?
    /// Results that now wait to be fetched.
    package var downloads: [PendingDownload] = []
    /// Why an acceptance was not recorded; nil for everything else.
    package var refusal: AcceptanceRefusal?
    /// Whether a file was not taken, because its job was cancelled meanwhile.
    package var isUnwanted = false
    /// Whether its job has succeeded, and others wait for its results.
    package var feedsOthers = false
    /// Attempts whose answer was lost and that the change has settled.
    package var settled: [SettledUnknown] = []
    /// How the account compares, after a reading of the balance that can be compared.
    package var account: AccountStanding?

    package init(job: RecordedJob? = nil, downloads: [PendingDownload] = []) {
        self.job = job
        self.downloads = downloads
    }
}

/// The ledger knows better than an acceptance that came late: somebody has settled the attempt meanwhile, or the task is
/// another attempt's.
package struct AcceptanceRefusal: Sendable, Hashable {
    /// The task that is the attempt's instead, if it is open.
    package var instead: OpenTask?

    package init(instead: OpenTask? = nil) { self.instead = instead }
}

package struct RecordedJob: Sendable {
    package var id: JobID
    package var state: JobState

    package init(id: JobID, state: JobState) {
        self.id = id
        self.state = state
    }
}

/// A result that waits to be fetched.
package struct PendingDownload: Sendable, Hashable {
    package var result: ResultID
    package var output: TaskOutput
    package var origin: JobOrigin
    /// When the provider reported it: media are kept for 14 days at most, and often for 24 hours.
    package var createdAt: Instant
    /// Whether to ask the provider for a fresh URL before all else.
    package var asksForFreshURL = false

    package init(result: ResultID, output: TaskOutput, origin: JobOrigin, createdAt: Instant) {
        self.result = result
        self.output = output
        self.origin = origin
        self.createdAt = createdAt
    }
}

/// A task that the provider is working on, as the ledger knows it.
package struct OpenTask: Sendable, Hashable {
    package var attempt: AttemptID
    package var job: JobID
    /// Nil where nobody has noted it.
    package var origin: JobOrigin?
    package var task: TaskID
    package var model: String
    package var acceptedAt: Instant
    package var attemptCount: Int
    package var maxAttempts: Int
    /// A `CompletionProfile`'s text.
    package var profile: String
    /// The job's, of a task that a callback named; nil if the request had another or none.
    package var prompt: String?
    /// How the task had failed when its job was tried again: it is asked about once more before another one is paid for.
    package var endedAs: FailureCode?

    package var key: CompletionKey { CompletionKey(model: model, profile: profile) }

    package init(
        attempt: AttemptID,
        job: JobID,
        origin: JobOrigin? = nil,
        task: TaskID,
        model: String,
        acceptedAt: Instant,
        attemptCount: Int,
        maxAttempts: Int,
        profile: String = "",
        prompt: String? = nil,
        endedAs: FailureCode? = nil
    ) {
        self.attempt = attempt
        self.job = job
        self.origin = origin
        self.task = task
        self.model = model
        self.acceptedAt = acceptedAt
        self.attemptCount = attemptCount
        self.maxAttempts = maxAttempts
        self.profile = profile
        self.prompt = prompt
        self.endedAs = endedAs
    }
}

/// What the daemon finds when it starts, after it has put in order what the last one left.
package struct Recovery: Sendable {
    /// Requests that were under way when the last daemon ended; they are `unknown` now.
    package var lost: [JobID] = []
    package var tasks: [OpenTask] = []
    package var downloads: [PendingDownload] = []
    /// Attempts whose answer was lost, those of `lost` included.
    package var unknown: [UnknownAttempt] = []
    /// When the rate window's busy slots were answered, oldest first.
    package var answeredAt: [Instant] = []
    /// When the provider said that there were too many requests, as far back as that may still matter, oldest first.
    package var refusedAt: [Instant] = []
    /// Until when the provider has said that it wants no more.
    package var shutUntil: Instant?
    /// Whether there is a reading of the balance that later ones can be compared with.
    package var hasComparison = true
    /// The latest completions of each model and profile, oldest first.
    package var history: [CompletedTask] = []

    package init() {}
}
