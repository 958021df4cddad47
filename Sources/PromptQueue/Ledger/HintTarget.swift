/// What a callback's token leads to.
package struct HintTarget: Sendable, Hashable {
    /// Whose engine is to be told.
    package var account: AccountName
    package var attempt: AttemptID
    package var job: JobID
    package var origin: JobOrigin?
    package var state: AttemptState
    /// Whether its money is still to be settled: the task may be running, or nobody knows.
    package var isOpen: Bool
    /// Set once the provider has named it.
    package var task: TaskID?
    package var model: String
    /// When the request was answered or given up; until then when it was sent.
    package var since: Instant
    package var attemptCount: Int
    package var maxAttempts: Int
    /// A `CompletionProfile`'s text.
    package var profile: String
    /// The job's prompt, if its row is still there and has one.
    package var prompt: String?
    /// The task that a callback named before, as the ledger keeps it.
    package var hinted: TaskID?
    /// How often the ledger has noted another name.
    package var hintChanges: Int
    /// The number of the daemon that asks about it, where several share the ledger; nil: this one.
    package var keeper: Int64?

    /// More names than this are not noted: a provider gives one.
    package static let maximumChanges = 8

    package init(
        account: AccountName = .standard,
        attempt: AttemptID,
        job: JobID,
        origin: JobOrigin? = nil,
        state: AttemptState,
        isOpen: Bool,
        task: TaskID?,
        model: String,
        since: Instant,
        attemptCount: Int,
        maxAttempts: Int,
        profile: String = "",
        prompt: String? = nil,
        hinted: TaskID? = nil,
        hintChanges: Int = 0,
        keeper: Int64? = nil
    ) {
        self.account = account
        self.attempt = attempt
        self.job = job
        self.origin = origin
        self.state = state
        self.isOpen = isOpen
        self.task = task
        self.model = model
        self.since = since
        self.attemptCount = attemptCount
        self.maxAttempts = maxAttempts
        self.profile = profile
        self.prompt = prompt
        self.hinted = hinted
        self.hintChanges = hintChanges
        self.keeper = keeper
    }

    /// Whether the ledger has to keep what a callback named: the answer that names the task is missing and may never come,
    /// and the provider calls only once.
    package func needsNote(of task: TaskID) -> Bool {
        isOpen && (state == .unknown || state == .sending) && task != hinted && hintChanges < Self.maximumChanges
    }

    /// The attempt's task if it turns out to be the one that a callback named.
    package func candidate(_ task: TaskID) -> OpenTask {
        OpenTask(
            attempt: attempt,
            job: job,
            origin: origin,
            task: task,
            model: model,
            acceptedAt: since,
            attemptCount: attemptCount,
            maxAttempts: maxAttempts,
            profile: profile,
            prompt: prompt
        )
    }
}

/// Where callbacks look up what they are about: a capability of the ledger, apart because only the listener needs it.
package protocol HintSource: Sendable {
    /// The attempt with this token, nil if there is none. Reads one row by an index and writes nothing.
    func hintTarget(token: AttemptToken) async throws(LedgerError) -> HintTarget?

    /// Keeps the task that a callback named for an attempt without an answer, until that is settled. Committed and synced.
    ///
    /// It settles nothing: at a start promptd asks the provider about it. What needs no note is not written.
    func noteHint(_ attempt: AttemptID, task: TaskID) async throws(LedgerError)

    /// Tells the daemon that asks about an attempt, which is another, that there is news.
    func tell(_ keeper: Int64, of attempt: AttemptID) async throws(LedgerError)
}

extension HintSource {
    package func tell(_ keeper: Int64, of attempt: AttemptID) async throws(LedgerError) {}
}

extension HintTarget {
    /// The task to ask about, if the ledger does not know whose it is.
    package func candidate(named task: TaskID?) -> OpenTask? {
        state == .accepted ? nil : task.map(candidate)
    }
}
