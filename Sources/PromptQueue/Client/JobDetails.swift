/// A job with everything that is known of it.
package struct JobDetails: Sendable {
    package let job: JobRecord
    package let attempts: [AttemptRecord]
    package let results: [ResultRecord]
    /// The task that the provider is working on, if its kind is known from others.
    package let running: RunningTask?
    /// As the daemon keeps them.
    package let rules: AccountRules
    /// Why nothing of its queue is being submitted, while it is queued: `paused`, `budget:NAME`…; and what promptd says of it.
    package let blockedBy: (reason: BlockReason, message: String?)?
    /// The jobs whose results it takes, and those that take its own, with theirs; by their ids, at most a hundred of each. Empty
    /// if it takes none and nobody takes its own.
    package var chain: [ChainLink] = []

    package init(
        job: JobRecord,
        attempts: [AttemptRecord],
        results: [ResultRecord],
        running: RunningTask?,
        rules: AccountRules,
        blockedBy: (reason: BlockReason, message: String?)?
    ) {
        self.job = job
        self.attempts = attempts
        self.results = results
        self.running = running
        self.rules = rules
        self.blockedBy = blockedBy
    }
}

/// A job of a chain, as it is seen from one of them.
package struct ChainLink: Sendable, Hashable {
    package let job: JobID
    package let state: JobState
    package let model: String
    /// How many links it is away: negative for what comes before.
    package let distance: Int
    /// What it takes of others, as its input says: `job:12/0`.
    package let takes: [String]

    package init(job: JobID, state: JobState, model: String, distance: Int, takes: [String]) {
        self.job = job
        self.state = state
        self.model = model
        self.distance = distance
        self.takes = takes
    }
}

/// A job and what came of it.
package struct ExportedJob: Sendable {
    package let job: JobRecord
    package let results: [ResultRecord]

    package init(job: JobRecord, results: [ResultRecord]) {
        self.job = job
        self.results = results
    }
}

/// A task at the provider, with what is known of how long its kind takes.
package struct RunningTask: Sendable {
    package let since: Instant
    package let curve: SurvivalCurve

    /// When it will have ended with the given probability, considering that it runs at `now`.
    package func end(_ probability: Double, now: Instant) -> Instant {
        let age = max(0, (now - since).seconds)
        return since + Duration(saturatedSeconds: curve.quantile(probability, age: age))
    }

    package init(
        since: Instant,
        curve: SurvivalCurve
    ) {
        self.since = since
        self.curve = curve
    }
}
