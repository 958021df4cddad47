import PromptQueue

/// An instant as the clocks of a zone show it.
enum ZonedTime {
    /// `2026-12-01 09:00 +01:00`.
    static func text(_ instant: Instant, _ zone: any LocalClock) -> String {
        let wall = CivilTime(milliseconds: zone.wall(at: instant).milliseconds)
        let minutes = zone.secondsFromUTC(at: instant) / 60
        let ahead = CivilTime(milliseconds: abs(minutes) * 60_000).minutes
        return "\(wall.date) \(wall.minutes) \(minutes == 0 ? "UTC" : (minutes < 0 ? "-" : "+") + ahead)"
    }
}
