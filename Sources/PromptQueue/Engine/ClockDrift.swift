/// By how much the wall clock was set, as far back as it matters.
package struct ClockShift: Sendable, Hashable {
    /// An instant from before may be earlier than what the clock would say of that moment now, by so much.
    package var forward: Duration
    /// It may be later, by so much.
    package var back: Duration

    package init(forward: Duration = .zero, back: Duration = .zero) {
        self.forward = forward
        self.back = back
    }
}

/// Watches the wall clock against the steady one.
struct ClockDrift: Sendable {
    /// By how much the wall clock was ahead of the steady one, from `since` on; the last entry holds now.
    private var offsets: [(since: Duration, offset: Duration)] = []

    /// Some milliseconds are but the clocks' own ways.
    private static let tolerance: Duration = .milliseconds(100)

    /// - Parameter horizon: for how long an instant that was written down matters.
    mutating func note(_ now: Moment, within horizon: Duration) {
        let offset = .milliseconds(now.instant.milliseconds) - now.uptime
        guard let last = offsets.last else {
            offsets = [(now.uptime, offset)]
            return
        }
        let change = offset - last.offset
        if change > Self.tolerance || change < .zero - Self.tolerance { offsets.append((now.uptime, offset)) }
        // An entry holds until the next one.
        while offsets.count > 1, now.uptime - offsets[1].since > horizon { offsets.removeFirst() }
    }

    var shift: ClockShift {
        guard let now = offsets.last?.offset else { return ClockShift() }
        let known = offsets.map(\.offset)
        return ClockShift(forward: now - (known.min() ?? now), back: (known.max() ?? now) - now)
    }
}
