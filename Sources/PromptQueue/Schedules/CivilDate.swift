/// A day of the calendar, from 1970 on.
struct CivilDate: Sendable, Hashable {
    /// Since 1970-01-01.
    let days: Int64
    let year: Int
    let month: Int
    let day: Int

    init(days: Int64) {
        let time = CivilTime(milliseconds: days * 86_400_000)
        self.days = days
        year = Int(clamping: time.year)
        month = Int(clamping: time.month)
        day = Int(clamping: time.day)
    }

    /// The date must be one.
    init(year: Int, month: Int, day: Int) {
        days = CivilTime.days(Int64(year), Int64(month), Int64(day)) ?? 0
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// 0 is Sunday. The first of January 1970 was a Thursday.
    var weekday: Int { Int(clamping: ((days + 4) % 7 + 7) % 7) }
}
