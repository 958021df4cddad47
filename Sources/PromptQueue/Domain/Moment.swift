/// The present on both clocks.
///
/// Intervals are measured with `uptime`, which only moves forward and also counts while the machine sleeps; what is
/// stored, and what users wrote, is `instant`, which an administrator or NTP may set.
package struct Moment: Sendable, Hashable {
    package var instant: Instant
    /// Time since an arbitrary start, the same for the life of the process.
    package var uptime: Duration

    package init(instant: Instant, uptime: Duration) {
        self.instant = instant
        self.uptime = uptime
    }

    /// This moment, later by `duration`, if nobody sets the clock.
    package static func + (moment: Moment, duration: Duration) -> Moment {
        Moment(instant: moment.instant + duration, uptime: moment.uptime + duration)
    }
}
