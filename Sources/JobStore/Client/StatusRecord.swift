import GRDB
package import PromptQueue

/// The row of `daemon`, with what the ledger says of its load.
package struct DaemonRecord: Sendable {
    package let version: String?
    package let startedAt: Instant?
    package let balance: Credits?
    package let balanceAt: Instant?
    /// What was reserved or charged for requests that the balance cannot hold yet.
    private let sentSince: Credits
    /// The balance less what was sent since it was read.
    package var available: Credits? { balance.map { $0 - sentSince } }
    package let rateUsed: Int
    /// `nil` before the first start of a daemon.
    package let rate: RateLimit?
    package let running: Int
    package let runningLimit: Int?
    package let lastError: String?
    package let lastErrorAt: Instant?
    package let lastResultAt: Instant?
    /// `credits.reserve`, `unconfirmed.policy` and `unconfirmed.window`, as the daemon keeps them.
    package let rules: AccountRules

    init(_ row: Row) {
        version = row["version"]
        startedAt = row.instant("started_at")
        balance = row.credits("balance_millicredits")
        balanceAt = row.instant("balance_at")
        sentSince = row.credits("sent_millicredits") ?? .zero
        let limit: Int? = row["rate_limit"]
        let window: Int64? = row["rate_window_ms"]
        rate = limit.flatMap { limit in window.map { RateLimit(count: limit, window: .milliseconds($0)) } }
        let used: Int? = row["rate_used"]
        rateUsed = used ?? 0
        running = row["running"]
        runningLimit = row["running_limit"]
        lastError = row["last_error"]
        lastErrorAt = row.instant("last_error_at")
        lastResultAt = row.instant("last_result_at")
        rules = AccountRules(daemon: row)
    }
}

/// A row of `queue_status`.
package struct QueueRecord: Sendable {
    package let name: String
    package let counts: [JobState: Int]
    package let maxRunning: Int?
    package let isPaused: Bool
    /// Why nothing of this queue is being submitted.
    package let blockedBy: BlockReason?

    init(_ row: Row) {
        name = row["queue"]
        // `running` holds those that are being submitted, too.
        let states: [JobState] = [.queued, .running, .succeeded, .failed, .cancelled, .unconfirmed]
        counts = Dictionary(uniqueKeysWithValues: states.map { ($0, row[$0.rawValue] as Int) })
        maxRunning = row["max_running"]
        isPaused = row["paused"]
        blockedBy = (row["blocked_by"] as String?).map(BlockReason.init)
    }
}

/// A row of `budget_status`.
package struct BudgetRecord: Sendable {
    package let name: String
    /// `nil`: all queues.
    package let queue: String?
    package let period: String
    package let limit: Credits
    package let reserved: Credits
    package let spent: Credits
    /// `nil` for a budget without a period.
    package let resetsAt: Instant?

    package var left: Credits { limit - reserved - spent }

    init(_ row: Row) {
        name = row["name"]
        queue = row["queue"]
        period = row["period"]
        limit = Credits(millicredits: row["limit_millicredits"])
        reserved = Credits(millicredits: row["reserved"])
        spent = Credits(millicredits: row["spent"])
        resetsAt = row.instant("resets_at")
    }
}

/// Some queued jobs of one queue, to tell what all of them will cost.
package struct BacklogSample: Sendable {
    package let queue: String
    /// All queued jobs of the queue.
    package let jobs: Int
    package var sampled = 0
    package var estimated = Credits.zero
    /// Sampled jobs whose estimate is missing, or may change until they are claimed: it rests on something other than a
    /// listed price, or there are overrides for their model.
    package var unpriced: [UnpricedJobs] = []
    /// Sampled jobs by model.
    package var models: [String: Int] = [:]
}

/// Queued jobs of one model with the same input, apart from their prompts.
package struct UnpricedJobs: Sendable {
    package let first: QueuedJob
    package let jobs: Int
}

/// The tasks of one model that the provider is working on, or whose request is out.
package struct UnderWaySample: Sendable {
    package let model: String
    package let tasks: Int
    /// When the last of them began.
    package let latest: Instant
}

/// Everything that `status` shows, of one instant.
package struct StatusRecord: Sendable {
    package let daemon: DaemonRecord
    package let queues: [QueueRecord]
    package let budgets: [BudgetRecord]
    package let gates: [GateNote]
    package let backlog: [BacklogSample]
    /// What the provider is working on, by model.
    package let underWay: [UnderWaySample]
    /// For what is not estimated yet.
    package let prices: PriceBook
    /// How long each model's tasks take on average, the latest ones.
    package let durations: [String: Duration]
    /// The oldest.
    package let firstUnconfirmed: JobID?
    /// Nil before there are readings of the balance that can be compared.
    package let account: AccountRecord?
}
