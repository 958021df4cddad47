import PromptQueue

/// A time without a zone, as spreadsheets write them: `2026-12-01 9:00`.
struct LocalTime {
    /// As it was written.
    let text: String
    /// As if it were UTC.
    private let wall: Instant

    init?(_ text: String) {
        guard let match = text.wholeMatch(of: /(\d{4}-\d\d-\d\d)[Tt ](\d{1,2})(:\d\d(?::\d\d)?)/) else { return nil }
        let (_, date, hour, rest) = match.output
        guard let wall = Instant(iso8601: "\(date)T\(hour.count == 1 ? "0" : "")\(hour)\(rest)Z") else { return nil }
        (self.text, self.wall) = (text, wall)
    }

    /// The instants at which clocks show it: none or two around a change to or from summer time.
    func instants(_ secondsFromUTC: (Instant) -> Int64) -> [Instant] {
        let day = Duration.seconds(86_400)
        let offsets = Set([wall - day, wall, wall + day].map(secondsFromUTC))
        return offsets.map { wall - .seconds($0) }.filter { secondsFromUTC($0) == (wall - $0).milliseconds / 1_000 }
            .sorted { $0 < $1 }
    }

    /// With some zone: `2026-12-01T09:00+01:00`.
    var example: String { wall.iso8601.prefix(16) + "+01:00" }

    /// With the zone of an instant that it is: `2026-12-01T09:00+01:00`.
    func iso8601(at instant: Instant) -> String {
        let seconds = (wall - instant).milliseconds / 1_000
        let minutes = seconds.magnitude / 60
        func pad(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = wall.iso8601.prefix(16)
        return "\(date)\(seconds < 0 ? "-" : "+")\(pad(minutes / 60)):\(pad(minutes % 60))"
    }
}
