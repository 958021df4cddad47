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

    package var jobs: [JobCount] = []
    /// Names of closed gates, as `blocked_by` shows them.
    package var gates: [String] = []
    package var rateUsed = 0
    package var rateLimit = 0
    package var running = 0
    package var runningLimit = 0
    package var balance: Credits?
    package var reserved = Credits.zero
    /// Of `reserved`, for requests whose answer was lost.
    package var reservedForUnknown = Credits.zero
    /// What the account lost and the ledger does not know of; nil before there are two readings.
    package var unexplained: Credits?

    package init() {}
}
