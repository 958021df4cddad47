/// Where the figures for health checks and metrics come from.
package protocol StatusSource: Sendable {
    /// Whether the database can be written now.
    func isWritable() async -> Bool

    func figures() async throws(LedgerError) -> StatusFigures
}

/// What there is to measure, at one instant.
package struct StatusFigures: Sendable, Equatable {
    package struct JobCount: Sendable, Equatable {
        package var queue: String
        package var state: String
        package var jobs: Int

        package init(queue: String, state: String, jobs: Int) {
            self.queue = queue
            self.state = state
            self.jobs = jobs
        }
    }

    package struct QueueFigures: Sendable, Equatable {
        package var name: String
        package var isPaused: Bool
        /// Jobs that could be submitted now, were it not for gates, limits or a pause.
        package var due: Int

        package init(name: String, isPaused: Bool, due: Int) {
            self.name = name
            self.isPaused = isPaused
            self.due = due
        }
    }

    package var jobs: [JobCount] = []
    package var queues: [QueueFigures] = []
    /// Jobs that are left alone, because the database refuses what happens to them or promptd has died of them.
    package var setAside = 0
    /// What hooks are still to be told, and what was given up.
    package var hooksPending = 0
    package var hooksDead = 0
    /// Results at the provider that are to be fetched.
    package var pendingResults = 0
    /// Names of closed gates, as `blocked_by` shows them.
    package var gates: [String] = []
    package var rateUsed = 0
    package var rateLimit = 0
    package var running = 0
    package var runningLimit = 0
    package var accounts: [AccountFigures] = []
    package var balance: Credits?
    package var balanceReadAt: Instant?
    package var reserved = Credits.zero
    /// Of `reserved`, for requests whose answer was lost.
    package var reservedForUnknown = Credits.zero
    /// What the account lost and the ledger does not know of; nil before there are two readings.
    package var unexplained: Credits?

    /// Charged since the first job, over all queues.
    package var charged = Credits.zero
    package var budgets: [BudgetFigures] = []
    /// When the daemon last wrote to the ledger.
    package var heartbeat: Instant?
    package var lastError: Instant?
    /// Since when the job that has been due for longest waits; nil if none does.
    package var waitingSince: Instant?
    /// The size of the database file, and of its write-ahead log.
    package var databaseBytes: Int64 = 0
    package var logBytes: Int64 = 0
    /// What is free on the database's file system; nil if that cannot be told.
    package var availableBytes: Int64?
    /// The daemons that share the queue; nil where there can be one only.
    package var daemons: DaemonFigures?

    package init() {}
}

/// The daemons that share a queue.
package struct DaemonFigures: Sendable, Equatable {
    /// Those that have a lease.
    package var members: Int
    /// How often, since the first start, another had to take over what one had, because it no longer renewed its lease.
    package var takenOver: Int

    package init(members: Int, takenOver: Int) {
        self.members = members
        self.takenOver = takenOver
    }
}

extension StatusFigures {
    /// What accounts say together: differences and balances add up, as old as the oldest.
    package mutating func note(_ statuses: [AccountStatus]) {
        accounts = statuses.map(AccountFigures.init)
        let differences = statuses.compactMap { $0.comparison?.unexplained }
        unexplained = differences.isEmpty ? nil : differences.reduce(.zero, +)
        let configured = statuses.filter(\.isConfigured)
        let balances = configured.compactMap(\.balance)
        balance = balances.isEmpty ? nil : balances.reduce(.zero, +)
        balanceReadAt = configured.compactMap(\.balanceAt).min()
    }
}

/// An account, by itself.
package struct AccountFigures: Sendable, Equatable {
    package var name: AccountName
    package var isConfigured: Bool
    package var balance: Credits?
    package var rateUsed: Int
    package var rateLimit: Int?
    package var running: Int
    package var runningLimit: Int?
    package var unexplained: Credits?

    package init(_ status: AccountStatus) {
        name = status.name
        isConfigured = status.isConfigured
        balance = status.balance
        rateUsed = status.rateUsed
        rateLimit = status.rate?.count
        running = status.running
        runningLimit = status.runningLimit
        unexplained = status.comparison?.unexplained
    }
}

/// A budget, in its current period.
package struct BudgetFigures: Sendable, Equatable {
    package var name: String
    package var limit: Credits
    package var reserved: Credits
    package var charged: Credits

    package init(name: String, limit: Credits, reserved: Credits, charged: Credits) {
        self.name = name
        self.limit = limit
        self.reserved = reserved
        self.charged = charged
    }
}
