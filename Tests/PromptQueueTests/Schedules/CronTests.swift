import Foundation
import Testing

@testable import PromptQueue

/// When a cron expression comes.
@Suite struct CronTests {
    static func instant(_ text: String) -> Instant { Instant(iso8601: text) ?? Instant(milliseconds: 0) }

    /// A zone of this machine.
    static func zone(_ name: String) throws -> TimeZoneRules {
        let data = try Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/\(name)"))
        return try #require(TimeZoneRules(name: name, bytes: Array(data)))
    }

    static let cases: [(String, String, [String])] = [
        ("*/15 * * * *", "2026-11-30T09:07Z", ["2026-11-30T09:15Z", "2026-11-30T09:30Z", "2026-11-30T09:45Z"]),
        ("0 9 * * MON", "2026-11-30T09:00Z", ["2026-12-07T09:00Z", "2026-12-14T09:00Z"]),
        ("0 9 * * mon-fri", "2026-12-04T10:00Z", ["2026-12-07T09:00Z", "2026-12-08T09:00Z"]),
        ("0 0 1 JAN,jul *", "2026-11-30T00:00Z", ["2027-01-01T00:00Z", "2027-07-01T00:00Z"]),
        (
            "30 4 1,15 * 5", "2026-11-30T00:00Z",
            ["2026-12-01T04:30Z", "2026-12-04T04:30Z", "2026-12-11T04:30Z", "2026-12-15T04:30Z"]
        ),
        ("0 0 */10 * FRI", "2026-11-30T00:00Z", ["2026-12-11T00:00Z"]),
        ("0 12 29 2 *", "2026-11-30T00:00Z", ["2028-02-29T12:00Z", "2032-02-29T12:00Z"]),
        ("0 12 29 2 *", "2096-03-01T00:00Z", ["2104-02-29T12:00Z"]),
        (
            "5-10/2,40 22 * * 7", "2026-11-30T00:00Z",
            ["2026-12-06T22:05Z", "2026-12-06T22:07Z", "2026-12-06T22:09Z", "2026-12-06T22:40Z"]
        ),
        ("0 8 * * FRI-SUN", "2026-12-04T08:00Z", ["2026-12-05T08:00Z", "2026-12-06T08:00Z", "2026-12-11T08:00Z"]),
        ("@daily", "2026-11-30T09:00Z", ["2026-12-01T00:00Z"]), ("@weekly", "2026-11-30T09:00Z", ["2026-12-06T00:00Z"]),
        ("@MONTHLY", "2026-11-30T09:00Z", ["2026-12-01T00:00Z", "2027-01-01T00:00Z"]),
        ("@yearly", "2026-11-30T09:00Z", ["2027-01-01T00:00Z"]),
        ("  @hourly ", "2026-11-30T09:00Z", ["2026-11-30T10:00Z"]),
    ]

    @Test(arguments: cases)
    func `it comes when crontab says`(text: String, after: String, expected: [String]) throws {
        let found = try CronExpression(text).instants(after: Self.instant(after), in: UTCClock()).prefix(expected.count)
        #expect(Array(found) == expected.map(Self.instant))
    }

    static let changes: [(String, String, String, [String])] = [
        // Clocks go forward: the time that is left out comes at the change, once.
        ("Europe/Berlin", "30 2 * * *", "2027-03-27T12:00Z", ["2027-03-28T01:00Z", "2027-03-29T00:30Z"]),
        ("Europe/Berlin", "*/30 2 * * *", "2027-03-27T12:00Z", ["2027-03-28T01:00Z", "2027-03-29T00:00Z"]),
        ("Europe/Berlin", "0 2,3 * * *", "2027-03-27T12:00Z", ["2027-03-28T01:00Z", "2027-03-29T00:00Z"]),
        ("America/New_York", "15 2 * * *", "2027-03-13T12:00Z", ["2027-03-14T07:00Z", "2027-03-15T06:15Z"]),
        ("Australia/Lord_Howe", "15 2 * * *", "2027-10-02T00:00Z", ["2027-10-02T15:30Z", "2027-10-03T15:15Z"]),
        // Clocks go back: the time that is repeated comes the first time.
        ("Europe/Berlin", "30 2 * * *", "2027-10-30T12:00Z", ["2027-10-31T00:30Z", "2027-11-01T01:30Z"]),
        ("America/New_York", "30 1 * * *", "2027-11-06T12:00Z", ["2027-11-07T05:30Z", "2027-11-08T06:30Z"]),
        ("Australia/Lord_Howe", "45 1 * * *", "2027-04-03T00:00Z", ["2027-04-03T14:45Z", "2027-04-04T15:15Z"]),
        // From within the repeated hour it does not come again.
        ("Europe/Berlin", "30 2 * * *", "2027-10-31T01:15Z", ["2027-11-01T01:30Z"]),
        // Far beyond what the file lists.
        ("Europe/Berlin", "0 9 1 7 *", "2059-01-01T00:00Z", ["2059-07-01T07:00Z"]),
        ("Australia/Lord_Howe", "0 9 1 1 *", "2058-06-01T00:00Z", ["2058-12-31T22:00Z"]),
        // A day that never was.
        ("Pacific/Apia", "0 9 30 12 *", "2011-12-29T00:00Z", ["2011-12-30T10:00Z"]),
    ]

    @Test(arguments: changes)
    func `a change to or from summer time leaves out no run and repeats none`(
        zone: String,
        text: String,
        after: String,
        expected: [String]
    ) throws {
        let found = try CronExpression(text).instants(after: Self.instant(after), in: try Self.zone(zone))
        #expect(Array(found.prefix(expected.count)) == expected.map(Self.instant))
    }

    static let mistakes: [(String, String)] = [
        ("", "has 0 fields, not five"), ("0 9 * *", "has 4 fields"), ("0 9 * * MON 2026", "has 6 fields"),
        ("60 9 * * *", "the minute \"60\": 0 to 59 is allowed"), ("0 24 * * *", "the hour \"24\": 0 to 23"),
        ("0 0 0 * *", "the day of the month \"0\": 1 to 31"),
        ("0 0 * 13 *", "the month \"13\": 1 to 12, or JAN to DEC"),
        ("0 0 * * 8", "the day of the week \"8\": 0 to 7, or SUN to SAT"), ("0 0 * * MONDAY", "\"MONDAY\""),
        ("*/0 * * * *", "a step goes from 1 to 59"), ("5/10 * * * *", "a step goes with * or a range, like 5-59/10"),
        ("9-5 * * * *", "from the smaller to the greater"), ("1,,2 * * * *", "the minute \"\""),
        ("-1 * * * *", "the minute \"-1\""),
        ("0 0 L * *", "\"L\""), ("0 0 ? * *", "\"?\""), ("@reboot", "there is no @reboot; there are @annually, @daily"),
        ("0 0 31 2 *", "none of its months has a day 31"), ("0 0 31 4,6 *", "none of its months"),
        ("+1 * * * *", "the minute \"+1\""), ("１ * * * *", "the minute"),
    ]

    @Test(arguments: mistakes)
    func `a mistake is named with its field and what is allowed`(text: String, reason: String) {
        let problem = #expect(throws: CronExpression.Problem.self) { try CronExpression(text) }
        #expect(problem?.description.contains(reason) == true, "\(problem?.description ?? "")")
    }

    // MARK: - Against a scan of every minute

    /// What comes within some days, found the slow way: every minute of UTC is looked at on the wall.
    private func scan(_ expression: CronExpression, _ zone: any LocalClock, after: Instant, days: Int) -> [Instant] {
        var found: [Instant] = []
        var seen: Set<Instant> = []
        var lastWall = zone.wall(at: after - .seconds(86_400))
        // From a day before, so that what was shown before is known.
        for minute in stride(from: -1_440, through: days * 1_440, by: 1) {
            let instant = after + .seconds(minute * 60)
            let wall = zone.wall(at: instant)
            // What is left out between two minutes comes at the second.
            var shown = wall
            if wall > lastWall { shown = min(lastWall + .seconds(60), wall) }
            lastWall = max(lastWall, wall)
            var comes = false
            while shown <= wall {
                let time = CivilTime(milliseconds: shown.milliseconds)
                let date = CivilDate(days: shown.milliseconds / 86_400_000)
                if seen.insert(shown).inserted, expression.matches(date), expression.hour.contains(Int(time.hour)),
                    expression.minute.contains(Int(time.minute))
                {
                    comes = true
                }
                shown = shown + .seconds(60)
            }
            if comes, instant > after { found.append(instant) }
        }
        return found
    }

    @Test(arguments: ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
    func `random expressions come when a scan of every minute says`(name: String) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let zone = try Self.zone(name)
        // Around a change of the clocks, mostly.
        let starts = [
            "2027-03-12T00:00Z", "2027-03-26T06:00Z", "2027-10-01T00:00Z", "2027-10-29T00:00Z", "2027-11-05T00:00Z",
            "2027-04-02T00:00Z",
        ]
        func field(_ range: ClosedRange<Int>) -> String {
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1: return "*"
            case 2: return "\(Int.random(in: range, using: &random))"
            case 3: return "*/\(Int.random(in: 1...max(1, range.upperBound / 2), using: &random))"
            default:
                let (a, b) = (Int.random(in: range, using: &random), Int.random(in: range, using: &random))
                return "\(min(a, b))-\(max(a, b)),\(Int.random(in: range, using: &random))"
            }
        }
        for _ in 0..<25 {
            let text = [field(0...59), field(0...23), field(1...31), "*", field(0...6)].joined(separator: " ")
            guard let expression = try? CronExpression(text) else { continue }
            let start =
                Self.instant(try #require(starts.randomElement(using: &random)))
                + .seconds(Int.random(in: 0..<1_440, using: &random) * 60)
            let expected = scan(expression, zone, after: start, days: 4)
            let found = expression.instants(after: start, in: zone).prefix { $0 <= start + .seconds(4 * 86_400) }
            #expect(Array(found) == expected, "\(text) in \(name) after \(start.iso8601), seed \(seed)")
        }
    }

    @Test(arguments: [
        "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Tehran",
        "America/Caracas",
    ])
    func `a zone's clocks show what the system's do`(name: String) throws {
        let zone = try Self.zone(name)
        let system = try #require(TimeZone(identifier: name))
        for days in stride(from: 0, to: 40_000, by: 3) {
            let instant = Instant(milliseconds: Int64(days) * 86_400_000 + Int64(days % 24) * 3_600_000)
            let date = Date(timeIntervalSince1970: Double(instant.milliseconds) / 1_000)
            // Beyond 2037 ICU goes by rules of its own for some.
            guard days < 24_000 else { break }
            #expect(zone.secondsFromUTC(at: instant) == Int64(system.secondsFromGMT(for: date)), "\(instant.iso8601)")
        }
    }

    @Test func `bytes that are no time zone are refused, whatever they are`() throws {
        let data = Array(try Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/Europe/Berlin")))
        for length in stride(from: 0, to: data.count, by: 7) {
            // A file that is cut may lack its rule; it never ends the process.
            _ = TimeZoneRules(name: "x", bytes: Array(data.prefix(length)))?.secondsFromUTC(
                at: Self.instant("2050-01-01T00:00Z")
            )
        }
        #expect(TimeZoneRules(name: "x", bytes: []) == nil)
        #expect(TimeZoneRules(name: "x", bytes: Array("TZif2".utf8)) == nil)
        var random = SeededGenerator(seed: 7)
        for _ in 0..<500 {
            var bytes = data
            for _ in 0..<8 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = TimeZoneRules(name: "x", bytes: bytes)?.secondsFromUTC(at: Self.instant("2050-01-01T00:00Z"))
        }
    }
}
