/// The limits the engine keeps.
package struct EngineSettings: Sendable {
    /// New tasks in any window.
    package var rate = RateLimit(count: 20, window: .seconds(10))
    /// Tasks at the provider at once.
    package var running = 100
    package var pollsPerSecond = 10
    /// How many daemons share the account, and so the pace of its polls.
    package var members = 1
    package var downloadsEnabled = true
    /// Whether the provider calls back, so that polling is the safety net only.
    package var callbacksEnabled = false
    package var concurrentDownloads = 8
    /// Requests that are sent at once before any was answered (`SubmissionRamp`).
    package var firstSubmissions = 1
    /// Jobs in one claim, so that the transaction stays short.
    package var claimLimit = 1_024
    /// How often the account's balance is read while there is work.
    package var balanceInterval: Duration = .seconds(300)
    package var account = AccountRules()

    package init() {}

    /// This daemon's share of the account's polls.
    package var pollPace: RateLimit {
        members <= pollsPerSecond
            ? RateLimit(count: pollsPerSecond / max(1, members), window: .seconds(1))
            : RateLimit(count: 1, window: .seconds(1) * members / max(1, pollsPerSecond))
    }
}
