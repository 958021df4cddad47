import PromptQueue

/// How often somebody may try a token: nobody guesses one, and a log is not filled by trying.
///
/// All who try are counted together: behind ssh or a proxy everybody comes from this machine.
struct LoginAttempts {
    static let limit = 10
    static let window: Duration = .seconds(60)

    private var failures: [Instant] = []

    /// Until when no token is looked at; nil: it may be tried.
    mutating func closedUntil(_ now: Instant) -> Instant? {
        failures.removeAll { $0 > now || now - $0 >= Self.window }
        guard failures.count >= Self.limit, let first = failures.first else { return nil }
        return first + Self.window
    }

    mutating func noteFailure(_ now: Instant) { failures.append(now) }
}
