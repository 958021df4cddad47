package import PromptQueue

/// What a sandbox does: the command line's flags as values.
package struct SandboxConfiguration: Sendable {
    /// The key that is let in.
    package var apiKey = "sandbox-key"
    /// The account's balance at the start.
    package var credits = Credits(millicredits: 1_000_000)
    /// Other accounts: their keys, and their balances at the start.
    package var accounts: [(key: String, credits: Credits)] = []
    /// The limit on `createTask`; `nil` lifts it.
    package var rate: RateLimit? = RateLimit(count: 20, window: .seconds(10))
    /// The limit on `recordInfo`; `nil` lifts it.
    package var pollRate: RateLimit? = RateLimit(count: 10, window: .seconds(1))
    /// How long tasks take.
    package var duration = TaskDuration()
    /// How long every answer takes.
    package var latency: Duration = .zero
    /// How long the faults `slow`, `poll-slow` and `media-stall` hold an answer back.
    package var slow: Duration = .seconds(40)
    /// How long the fault `held` keeps a request on its way.
    package var held: Duration = .seconds(150)
    /// For how long a new task cannot be asked about.
    package var invisible: Duration = .zero
    /// For how long uploaded files are kept.
    package var uploadsKept: Duration = .seconds(3 * 86_400)
    /// For how long results can be fetched; `nil`: for ever.
    package var resultsKept: Duration?
    /// What every draw of chance comes from.
    package var seed: UInt64 = 1
    /// Signs the callbacks; `nil` leaves them unsigned.
    package var hmacKey: String?
    /// The waits before a callback is tried again; after the last it is given up.
    package var callbackRetries: [Duration] = [.seconds(1), .seconds(5), .seconds(15)]
    /// How often each fault happens, from 0 to 1.
    package var faults: [Fault: Double] = [:]

    package init() {}
}
