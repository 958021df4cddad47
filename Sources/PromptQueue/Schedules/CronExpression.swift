/// When something recurs, as crontab(5) writes it: `0 9 * * MON-FRI`, or `@daily`.
package struct CronExpression: Sendable, Hashable {
    /// What is wrong with a text.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String

        init(_ description: String) { self.description = description }
    }

    static let words = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    /// As it was written.
    package let text: String
    let minute: CronField
    let hour: CronField
    private let day: CronField
    private let month: CronField
    private let weekday: CronField

    /// - Throws: what is wrong, with the field and what is allowed there.
    package init(_ text: String) throws(Problem) {
        let trimmed = text.trimmingSpaces()
        let plain: String
        if trimmed.hasPrefix("@") {
            guard let word = Self.words[trimmed.lowercased()] else {
                throw Problem(
                    "there is no \(PlainText.oneLine(trimmed)); there are \(Self.words.keys.sorted().joined(separator: ", "))"
                )
            }
            plain = word
        } else {
            plain = trimmed
        }
        let fields = plain.split(whereSeparator: \.isWhitespace)
        guard fields.count == 5 else {
            throw Problem(
                "has \(fields.count) field\(fields.count == 1 ? "" : "s"), not five: minute, hour, day of the month, month, day of the week, "
                    + "like \"0 9 * * MON\""
            )
        }
        self.text = trimmed
        minute = try CronField(fields[0], .minute)
        hour = try CronField(fields[1], .hour)
        day = try CronField(fields[2], .day)
        month = try CronField(fields[3], .month)
        weekday = try CronField(fields[4], .weekday)
        // The longest of each month.
        let days = month.values.map { $0 == 2 ? 29 : [4, 6, 9, 11].contains($0) ? 30 : 31 }
        let isDayRestricted = !day.isStar && weekday.isStar
        if isDayRestricted, let first = day.values.first, let last = days.max(), first > last {
            throw Problem("none of its months has a day \(first): it would never come")
        }
    }

    /// Whether it comes on a day: if both the day of the month and that of the week are restricted, either is enough
    /// (crontab(5)).
    func matches(_ date: CivilDate) -> Bool {
        guard month.contains(date.month) else { return false }
        let (isDay, isWeekday) = (day.contains(date.day), weekday.contains(date.weekday))
        return day.isStar || weekday.isStar ? isDay && isWeekday : isDay || isWeekday
    }

    /// The instants after one at which it comes, by the clocks of a zone, in their order.
    package func instants(after instant: Instant, in zone: any LocalClock) -> CronInstants {
        CronInstants(self, after: instant, zone: zone)
    }

    /// The first of them; nil if there is none within nine years.
    package func next(after instant: Instant, in zone: any LocalClock) -> Instant? {
        var instants = instants(after: instant, in: zone)
        return instants.next()
    }
}
