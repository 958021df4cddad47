/// Whether the wall clock may be believed where something is removed by it: another clock has agreed with it, and since then
/// it has moved on as the monotonic one has.
///
/// Only a clock that is ahead is doubted: one that is behind removes late.
package struct ClockTrust: Sendable {
    /// By how much it may be ahead.
    package static let tolerance: Duration = .seconds(86_400)

    /// What the other clock showed, and when that was heard.
    private var other: Moment?

    package init() {}

    /// Another clock was read just now.
    package mutating func heard(_ instant: Instant, at uptime: Duration) {
        other = Moment(instant: instant, uptime: uptime)
    }

    package func believes(_ now: Moment) -> Bool { ahead(now).map { $0 <= Self.tolerance } ?? false }

    /// By how much the wall clock is ahead; nil if there is nothing to compare it with.
    package func ahead(_ now: Moment) -> Duration? {
        other.map { (now.instant - $0.instant) - (now.uptime - $0.uptime) }
    }
}
