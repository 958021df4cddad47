/// Something that can stop submissions: while it is closed one probe at a time finds out whether it may open.
package struct Gate: Sendable {
    /// How long to wait before a probe, by how many have failed.
    package struct Backoff: Sendable {
        package var initial: Duration
        package var maximum: Duration
        /// Fraction of the delay that is drawn at random, to keep many clients apart.
        package var jitter: Double

        package init(initial: Duration, maximum: Duration, jitter: Double = 0.2) {
            self.initial = initial
            self.maximum = maximum
            self.jitter = jitter
        }

        func delay(failures: Int, using generator: inout some RandomNumberGenerator) -> Duration {
            let doubled = initial * (1 << min(max(failures - 1, 0), 30))
            let whole = min(doubled, maximum)
            return whole - whole * (jitter * Double.random(in: 0...1, using: &generator))
        }
    }

    package let backoff: Backoff
    package private(set) var failures = 1
    package private(set) var closedAt: Moment
    package private(set) var message: String
    package private(set) var probeAt: Duration
    /// The attempt that is out as a probe.
    package var probe: AttemptID?

    package init(
        _ backoff: Backoff,
        message: String,
        at now: Moment,
        using generator: inout some RandomNumberGenerator
    ) {
        self.backoff = backoff
        self.message = message
        closedAt = now
        probeAt = now.uptime + backoff.delay(failures: 1, using: &generator)
    }

    /// A request that was no probe, or the probe, met the same trouble.
    ///
    /// Answers to requests that were out when the gate closed tell nothing new.
    package mutating func fail(
        attempt: AttemptID?,
        message: String,
        at now: Moment,
        using generator: inout some RandomNumberGenerator
    ) {
        guard attempt == probe else { return }
        probe = nil
        failures += 1
        self.message = message
        probeAt = now.uptime + backoff.delay(failures: failures, using: &generator)
    }

    package func allowsProbe(at uptime: Duration) -> Bool {
        probe == nil && uptime >= probeAt
    }
}
