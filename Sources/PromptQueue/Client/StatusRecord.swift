/// The row of `daemon`, with what its accounts have and do together.
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

    package init(
        version: String?,
        startedAt: Instant?,
        balance: Credits?,
        balanceAt: Instant?,
        sentSince: Credits,
        rateUsed: Int,
        rate: RateLimit?,
        running: Int,
        runningLimit: Int?,
        lastError: String?,
        lastErrorAt: Instant?,
        lastResultAt: Instant?,
        rules: AccountRules
    ) {
        self.version = version
        self.startedAt = startedAt
        self.balance = balance
        self.balanceAt = balanceAt
        self.sentSince = sentSince
        self.rateUsed = rateUsed
        self.rate = rate
        self.running = running
        self.runningLimit = runningLimit
        self.lastError = lastError
        self.lastErrorAt = lastErrorAt
        self.lastResultAt = lastResultAt
        self.rules = rules
    }
}

extension DaemonRecord {
    /// - Parameter accounts: what is configured counts together; the window and the rules are the standard account's.
    package init(
        version: String?,
        startedAt: Instant?,
        lastError: String?,
        lastErrorAt: Instant?,
        lastResultAt: Instant?,
        accounts: [AccountStatus]
    ) {
        let configured = accounts.filter(\.isConfigured)
        let own = configured.first
        let balances = configured.compactMap(\.balance)
        let limits = configured.compactMap(\.runningLimit)
        var rules = own?.rules ?? AccountRules()
        rules.creditReserve = configured.reduce(.zero) { $0 + $1.rules.creditReserve }
        self.init(
            version: version,
            startedAt: startedAt,
            balance: balances.isEmpty ? nil : balances.reduce(.zero, +),
            balanceAt: configured.compactMap(\.balanceAt).min(),
            sentSince: configured.reduce(.zero) { $0 + $1.sentSince },
            rateUsed: accounts.reduce(0) { $0 + $1.rateUsed },
            rate: own?.rate.map { first in
                RateLimit(count: configured.reduce(0) { $0 + ($1.rate?.count ?? 0) }, window: first.window)
            },
            running: accounts.reduce(0) { $0 + $1.running },
            runningLimit: limits.isEmpty ? nil : limits.reduce(0, +),
            lastError: lastError,
            lastErrorAt: lastErrorAt,
            lastResultAt: lastResultAt,
            rules: rules
        )
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
    /// The account that its jobs are sent under.
    package let account: AccountName

    package init(
        name: String,
        counts: [JobState: Int],
        maxRunning: Int?,
        isPaused: Bool,
        blockedBy: BlockReason?,
        account: AccountName = .standard
    ) {
        self.account = account
        self.name = name
        self.counts = counts
        self.maxRunning = maxRunning
        self.isPaused = isPaused
        self.blockedBy = blockedBy
    }
}

/// A row of `budget_status`.
package struct BudgetRecord: Sendable {
    package let name: String
    package let scope: BudgetScope
    package let period: String
    package let limit: Credits
    package let reserved: Credits
    package let spent: Credits
    /// `nil` for a budget without a period.
    package let resetsAt: Instant?

    package var left: Credits { limit - reserved - spent }

    /// Whether nearly all of it is used: people are told while there is time.
    package var isNearlyUsed: Bool { left.millicredits <= limit.millicredits / 5 }

    package init(
        name: String,
        scope: BudgetScope,
        period: String,
        limit: Credits,
        reserved: Credits,
        spent: Credits,
        resetsAt: Instant?
    ) {
        self.name = name
        self.scope = scope
        self.period = period
        self.limit = limit
        self.reserved = reserved
        self.spent = spent
        self.resetsAt = resetsAt
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

    package init(
        queue: String,
        jobs: Int
    ) {
        self.queue = queue
        self.jobs = jobs
    }

    /// How much of `total` each of `amounts` gets: what is small is served in full, the others share the rest equally.
    package static func shares(of total: Int, among amounts: [Int]) -> [Int] {
        var shares = amounts
        var left = total
        let order = amounts.indices.sorted { (amounts[$0], $0) < (amounts[$1], $1) }
        for (served, index) in order.enumerated() {
            // At least one, so that something is known of every queue.
            shares[index] = min(amounts[index], max(left / (order.count - served), 1))
            left -= shares[index]
        }
        return shares
    }
}

/// Queued jobs of one model with the same input, apart from their prompts.
package struct UnpricedJobs: Sendable {
    package let first: QueuedJob
    package let jobs: Int

    package init(
        first: QueuedJob,
        jobs: Int
    ) {
        self.first = first
        self.jobs = jobs
    }
}

/// The tasks of one model that the provider is working on, or whose request is out.
package struct UnderWaySample: Sendable {
    package let model: String
    package let tasks: Int
    /// When the last of them began.
    package let latest: Instant

    package init(
        model: String,
        tasks: Int,
        latest: Instant
    ) {
        self.model = model
        self.tasks = tasks
        self.latest = latest
    }
}

/// Everything that `status` shows, of one instant.
package struct StatusRecord: Sendable {
    package let daemon: DaemonRecord
    /// Those of the configuration, and others that the ledger knows.
    package let accounts: [AccountStatus]
    package let queues: [QueueRecord]
    package let budgets: [BudgetRecord]
    package let gates: [GateNote]
    package let backlog: [BacklogSample]
    /// What the provider is working on, by model.
    package let underWay: [UnderWaySample]
    /// For what is not estimated yet.
    package let prices: PriceBook
    /// The models as they are known now.
    package let catalogue: Catalogue
    /// How long each model's tasks take on average, the latest ones.
    package let durations: [String: Duration]
    /// The oldest.
    package let firstUnconfirmed: JobID?
    /// Nil before there are readings of the balance that can be compared.
    package let account: AccountRecord?

    package init(
        daemon: DaemonRecord,
        accounts: [AccountStatus],
        queues: [QueueRecord],
        budgets: [BudgetRecord],
        gates: [GateNote],
        backlog: [BacklogSample],
        underWay: [UnderWaySample],
        prices: PriceBook,
        catalogue: Catalogue = .builtIn,
        durations: [String: Duration],
        firstUnconfirmed: JobID?,
        account: AccountRecord?
    ) {
        self.daemon = daemon
        self.accounts = accounts
        self.queues = queues
        self.budgets = budgets
        self.gates = gates
        self.backlog = backlog
        self.underWay = underWay
        self.prices = prices
        self.catalogue = catalogue
        self.durations = durations
        self.firstUnconfirmed = firstUnconfirmed
        self.account = account
    }
}
