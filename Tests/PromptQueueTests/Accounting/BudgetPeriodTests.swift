import FoundationEssentials
import Testing

@testable import PromptQueue

@Suite struct BudgetPeriodTests {
    private static func instant(_ text: String) throws -> Instant {
        let date = try Date(text, strategy: .iso8601)
        return Instant(milliseconds: Int64(date.timeIntervalSince1970 * 1_000))
    }

    static let cases: [(BudgetPeriod, String, String, String)] = [
        (.hour, "2026-03-01T23:59:59Z", "2026-03-01T23:00:00Z", "2026-03-02T00:00:00Z"),
        (.day, "2026-03-01T23:59:59Z", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
        // A Sunday, and the Monday after it.
        (.week, "2026-03-01T23:59:59Z", "2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z"),
        (.week, "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"),
        // Over the year's end, and the first days there are.
        (.week, "2027-01-01T12:00:00Z", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"),
        (.week, "1970-01-05T00:00:00Z", "1970-01-05T00:00:00Z", "1970-01-12T00:00:00Z"),
        (.month, "2028-02-29T23:59:59Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        (.month, "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        (.month, "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
    ]

    @Test(arguments: cases)
    func `a period begins and ends where the calendar says`(
        period: BudgetPeriod,
        at: String,
        start: String,
        end: String
    ) throws {
        let interval = period.interval(at: try Self.instant(at))
        #expect(try interval.start == Self.instant(start))
        #expect(try interval.end == Self.instant(end))
    }

    @Test func `the whole time has no end, and no instant is out of bounds`() {
        #expect(BudgetPeriod.total.interval(at: Instant(milliseconds: 5)).end == nil)
        for period in BudgetPeriod.allCases {
            for milliseconds in [Int64.min, -1, 0, 1, .max] {
                let interval = period.interval(at: Instant(milliseconds: milliseconds))
                #expect(interval.end.map { $0 > interval.start } ?? true)
            }
        }
    }
}
