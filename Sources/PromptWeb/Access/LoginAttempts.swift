import PromptQueue

/// How often a wrong token is told from others: nobody guesses one, and a log is not filled by trying. The right one always passes.
///
/// All who try are counted together: behind ssh or a proxy everybody comes from this machine.
struct LoginAttempts {
    static let limit = 10
    static let window: Duration = .seconds(60)

    private var failures: [Instant] = []

    /// Until when a wrong one is not counted any more; nil: it is.
    mutating func closedUntil(_ now: Instant) -> Instant? {
        failures.removeAll { $0 > now || now - $0 >= Self.window }
        guard failures.count >= Self.limit, let first = failures.first else { return nil }
        return first + Self.window
    }

    mutating func noteFailure(_ now: Instant) { failures.append(now) }
}
