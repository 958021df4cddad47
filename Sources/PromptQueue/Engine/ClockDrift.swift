/// By how much the wall clock was set, as far back as it matters.
package struct ClockShift: Sendable, Hashable {
    /// An instant from before may be earlier than what the clock would say of that moment now, by so much.
    package var forward: Duration
    /// It may be later, by so much.
    package var back: Duration
    /// Attempts up to this one were answered under another time of the clock, more than a window ago: they hold no slot.
    package var answeredAfter = AttemptID(0)
    /// Answers of attempts up to this one were lost so long ago.
    package var lostAfter = AttemptID(0)

    package init(forward: Duration = .zero, back: Duration = .zero) {
        self.forward = forward
        self.back = back
    }
}

/// Watches the wall clock against the steady one.
struct ClockDrift: Sendable {
    private struct Setting {
        var since: Duration
        /// By how much the wall clock is ahead of the steady one.
        var offset: Duration
        /// The last attempt that was answered before, or whose answer was lost.
        var answered: AttemptID
    }

    /// Each holds until the next; the last one holds now.
    private var settings: [Setting] = []

    /// Some milliseconds are but the clocks' own ways.
    private static let tolerance: Duration = .milliseconds(100)

    /// - Parameters:
    ///   - horizon: for how long an instant that was written down matters.
    ///   - answered: up to which attempt all are answered, or lost; asked for when the clock was set.
    mutating func note(_ now: Moment, within horizon: Duration, answered: () -> AttemptID) {
        let offset = .milliseconds(now.instant.milliseconds) - now.uptime
        guard let last = settings.last else {
            settings = [Setting(since: now.uptime, offset: offset, answered: AttemptID(0))]
            return
        }
        let change = offset - last.offset
        if change > Self.tolerance || change < .zero - Self.tolerance {
            settings.append(Setting(since: now.uptime, offset: offset, answered: answered()))
        }
        while settings.count > 1, now.uptime - settings[1].since > horizon { settings.removeFirst() }
    }

    /// - Parameter window: for how long an answered request holds its slot.
    func shift(at uptime: Duration, window: Duration) -> ClockShift {
        guard let now = settings.last, let first = settings.first else { return ClockShift() }
        let offsets = settings.map(\.offset)
        var shift = ClockShift(
            forward: now.offset - (offsets.min() ?? now.offset),
            back: (offsets.max() ?? now.offset) - now.offset
        )
        // The first is the start's, or older than the horizon.
        shift.lostAfter = first.answered
        shift.answeredAfter = settings.last { uptime - $0.since > window }?.answered ?? AttemptID(0)
        return shift
    }
}
