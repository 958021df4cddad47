import GRDB
import PromptQueue
import Testing

@testable import JobStore

/// People read budgets from a view, and claims go by `BudgetPeriod`: both mean the same periods.
@Suite struct BudgetViewTests {
    @Test func `the view's periods are the claim's, at every edge of ten years`() throws {
        let fixture = try LedgerFixture()
        for period in BudgetPeriod.allCases {
            try fixture.run(
                "INSERT INTO budgets (name, queue, period, limit_millicredits) VALUES ('\(period)', NULL, '\(period)', 1)"
            )
        }
        let shell = try openShell(fixture.path)
        let view = try #require(
            try shell.read {
                try String.fetchOne($0, sql: "SELECT sql FROM sqlite_schema WHERE name = 'budget_periods'")
            }
        )
        let query = String(try #require(view.split(separator: "AS\n", maxSplits: 1).last))
        // The same words at another time.
        let sql = query.replacing("'now'", with: ":now, 'unixepoch'")
        #expect(sql != query)
        let day: Int64 = 86_400_000
        var instants: [Int64] = []
        for number in Int64(20_454)...24_107 {
            instants += [number * day - 1_000, number * day, number * day + 3_600_000]
        }
        try shell.read { db in
            let statement = try db.makeStatement(sql: sql)
            for instant in instants {
                for row in try Row.fetchAll(statement, arguments: ["now": instant / 1_000]) {
                    let period = try #require(BudgetPeriod(rawValue: row["period"]))
                    let interval = period.interval(at: Instant(milliseconds: instant))
                    #expect(row["starts_at"] == interval.start.milliseconds, "\(period) at \(instant)")
                    #expect(row["resets_at"] == interval.end?.milliseconds, "\(period) at \(instant)")
                }
            }
        }
    }
}
