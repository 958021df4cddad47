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
