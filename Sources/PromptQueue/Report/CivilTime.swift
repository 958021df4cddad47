/// A day and a time of day, in some zone.
package struct CivilTime {
    var year: Int64
    var month: Int64
    var day: Int64
    package var hour: Int64
    var minute: Int64
    var second: Int64
    var millisecond: Int64

    /// By Howard Hinnant's `civil_from_days` (https://howardhinnant.github.io/date_algorithms.html).
    ///
    /// What lies outside the years 1 to 9999 is shown as the first or the last instant of them.
    package init(milliseconds: Int64) {
        let milliseconds = min(max(milliseconds, -62_135_596_800_000), 253_402_300_799_999)
        let days = Self.floor(milliseconds, 86_400_000)
        let rest = milliseconds - days * 86_400_000
        (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60)
        (second, millisecond) = (rest / 1_000 % 60, rest % 1_000)
        let shifted = days + 719_468
        let era = Self.floor(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01; `nil` for a date that no calendar has.
    static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64? {
        guard (1970...9_999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = floor(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        let back = CivilTime(milliseconds: days * 86_400_000)
        return back.month == month && back.day == day ? days : nil
    }

    private static func floor(_ dividend: Int64, _ divisor: Int64) -> Int64 {
        let quotient = dividend / divisor
        return dividend % divisor < 0 ? quotient - 1 : quotient
    }

    package var date: String { "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))" }
    package var minutes: String { "\(pad(hour, 2)):\(pad(minute, 2))" }
    package var milliseconds: String { "\(minutes):\(pad(second, 2)).\(pad(millisecond, 3))" }

    private func pad(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
