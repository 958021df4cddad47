import PromptQueue

/// The daemon's clocks: one that only moves forward, and the wall's, which somebody may set.
struct SimulatedClock {
    /// True time since the world began; also the daemon's uptime.
    private(set) var elapsed: Duration = .zero
    private let start: Instant
    private var shift: Duration = .zero

    init(start: Instant) {
        self.start = start
    }

    /// What the daemon sees.
    var moment: Moment { Moment(instant: start + shift + elapsed, uptime: elapsed) }

    /// What it would show if nobody had set it.
    var trueInstant: Instant { start + elapsed }

    mutating func advance(to time: Duration) { elapsed = max(elapsed, time) }

    /// Sets the wall clock.
    mutating func jump(by duration: Duration) { shift += duration }
}
