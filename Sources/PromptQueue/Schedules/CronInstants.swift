/// The instants at which a cron expression comes, each once: a local time that the change to summer time leaves out comes at
/// the change; one that the change back repeats comes the first time.
package struct CronInstants: Sequence, IteratorProtocol, Sendable {
    /// The 29th of February may be eight years away.
    private static let mostDays: Int64 = 9 * 366

    private let expression: CronExpression
    private let zone: any LocalClock
    private var last: Instant
    private var date: CivilDate
    private var end: Int64
    /// Of the day, those that are still to come, the latest first.
    private var rest: [Instant] = []

    init(_ expression: CronExpression, after instant: Instant, zone: any LocalClock) {
        (self.expression, self.zone, last) = (expression, zone, instant)
        let wall = zone.wall(at: instant).milliseconds
        let days = (wall >= 0 ? wall : wall - 86_399_999) / 86_400_000
        // A day earlier: clocks that are set back show one day twice.
        date = CivilDate(days: days - 2)
        end = days + Self.mostDays
    }

    package mutating func next() -> Instant? {
        while true {
            while let next = rest.popLast() {
                if next > last {
                    last = next
                    end = date.days + Self.mostDays
                    return next
                }
            }
            date = CivilDate(days: date.days + 1)
            guard date.days <= end else { return nil }
            if expression.matches(date) { rest = instants() }
        }
    }

    private func instants() -> [Instant] {
        let midnight = Instant(milliseconds: date.days * 86_400_000)
        let next = midnight + .seconds(86_400)
        // On most days no clock is set, and all times are as far from UTC as the first.
        let offsets = Set(
            [midnight - .seconds(86_400), midnight, next, next + .seconds(86_400)].map(zone.secondsFromUTC)
        )
        let offset = offsets.count == 1 ? offsets.first : nil
        var instants: [Instant] = []
        for hour in expression.hour.values {
            for minute in expression.minute.values {
                let wall = midnight + .seconds(hour * 3_600 + minute * 60)
                instants.append(offset.map { wall - .seconds($0) } ?? zone.firstInstant(showing: wall))
            }
        }
        return instants.reversed()
    }
}
