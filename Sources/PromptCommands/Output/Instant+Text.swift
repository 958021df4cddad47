package import PromptQueue

/// A day and a time of day, in some zone.
private struct CivilTime {
    var year: Int64
    var month: Int64
    var day: Int64
    var hour: Int64
    var minute: Int64
    var second: Int64
    var millisecond: Int64

    /// By Howard Hinnant's `civil_from_days` (https://howardhinnant.github.io/date_algorithms.html).
    ///
    /// What lies outside the years 1 to 9999 is shown as the first or the last instant of them.
    init(milliseconds: Int64) {
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

    var date: String { "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))" }
    var minutes: String { "\(pad(hour, 2)):\(pad(minute, 2))" }
    var milliseconds: String { "\(minutes):\(pad(second, 2)).\(pad(millisecond, 3))" }

    private func pad(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Instant {
    /// `2026-11-22T09:31:07.204Z`.
    package var iso8601: String {
        let time = CivilTime(milliseconds: milliseconds)
        return "\(time.date)T\(time.milliseconds)Z"
    }

    /// `00:00 UTC`.
    package var utcMinutes: String { CivilTime(milliseconds: milliseconds).minutes + " UTC" }

    /// `2026-12-01 00:00 UTC`.
    package var utcDayAndMinutes: String { CivilTime(milliseconds: milliseconds).date + " " + utcMinutes }

    /// Reads `2026-11-22T09:00Z`, `2026-11-22T09:00:30.5+01:00`: an ISO 8601 date and time with its zone.
    package init?(iso8601 text: String) {
        guard let match = text.wholeMatch(of: Self.iso8601Form) else { return nil }
        let (_, year, month, day, hour, minute, second, fraction, zone) = match.output
        func number(_ text: Substring?) -> Int64 { text.flatMap { Int64($0) } ?? 0 }
        guard let days = CivilTime.days(number(year), number(month), number(day)),
            number(hour) < 24, number(minute) < 60, number(second) < 60
        else { return nil }
        var offset: Int64 = 0
        if zone != "Z", zone != "z" {
            let digits = zone.filter(\.isNumber)
            let (hours, minutes) = (number(digits.prefix(2)), number(digits.dropFirst(2)))
            guard hours <= 14, minutes < 60 else { return nil }
            offset = (hours * 60 + minutes) * (zone.hasPrefix("-") ? -1 : 1)
        }
        let thousandths = number(((fraction.map(String.init) ?? "") + "000").prefix(3))
        let minutes = (days * 24 + number(hour)) * 60 + number(minute) - offset
        self.init(milliseconds: (minutes * 60 + number(second)) * 1_000 + thousandths)
    }

    // A computed property, because a regular expression may not be shared between threads.
    private static var iso8601Form:
        Regex<
            (Substring, Substring, Substring, Substring, Substring, Substring, Substring?, Substring?, Substring)
        >
    {
        /(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?([Zz]|[+-]\d\d:?(?:\d\d)?)/
    }
}

extension Console {
    /// `09:31:07.204`, in local time.
    func clockTime(_ instant: Instant) -> String { local(instant).milliseconds }

    /// `09:31 +01:00`, with the date if it is not today: `2026-11-21 09:31 UTC`.
    func time(_ instant: Instant) -> String {
        let time = local(instant)
        let minutes = "\(time.minutes) \(zone(instant))"
        return time.date == local(now()).date ? minutes : "\(time.date) \(minutes)"
    }

    /// The local zone then: `+01:00`, as `--at` takes it, or `UTC`.
    func zone(_ instant: Instant) -> String {
        let minutes = secondsFromUTC(instant) / 60
        guard minutes != 0 else { return "UTC" }
        let time = CivilTime(milliseconds: abs(minutes) * 60_000)
        return (minutes < 0 ? "-" : "+") + time.minutes
    }

    /// Reads a local time without a zone: `2026-12-24 18:00`, or `18:00` for when the clock shows that next.
    ///
    /// - Returns: `nil` for what is none, and for a time that the change to summer time leaves out.
    func instant(local text: String, now: Instant) -> Instant? {
        if let match = text.wholeMatch(of: /(\d\d?):(\d\d)/) {
            let today = local(now)
            let time = "\(match.1.count == 1 ? "0" : "")\(match.1):\(match.2)"
            if let instant = instant(local: "\(today.date) \(time)", now: now), instant > now { return instant }
            let noon = now + .seconds(86_400 + (12 - today.hour) * 3_600)
            return instant(local: "\(local(noon).date) \(time)", now: now)
        }
        // As if it were UTC; a zone of its own makes it no local time.
        guard let shown = Instant(iso8601: text + "Z"), !text.contains(where: { "zZ".contains($0) }) else { return nil }
        // The offsets of the day before and after are those on either side of a change.
        let offsets = [-86_400, 86_400].map { secondsFromUTC(shown + .seconds($0)) }
        return offsets.map { shown + .seconds(-$0) }.first { $0 + .seconds(secondsFromUTC($0)) == shown }
    }

    /// `2026-11-21`.
    func date(_ instant: Instant) -> String { local(instant).date }

    private func local(_ instant: Instant) -> CivilTime {
        CivilTime(milliseconds: instant.milliseconds + secondsFromUTC(instant) * 1_000)
    }
}
