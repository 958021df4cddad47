import FoundationEssentials
import GRDB
import PromptQueue
import Synchronization
import Testing

@testable import JobStore

@Suite struct PageTests {
    private func filled() throws -> (LedgerFixture, QueueFile) {
        let fixture = try LedgerFixture()
        for number in 1...90 {
            let queue = ["a", "b", "c"][number % 3]
            let batch = number % 2 == 0 ? "'even'" : "NULL"
            try fixture.insert(
                "(prompt, queue, batch, model) VALUES ('p\(number)', '\(queue)', \(batch), 'm\(number % 5)')"
            )
        }
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id % 7 = 0")
        return (fixture, try QueueFile(readingAt: fixture.path))
    }

    private static let filters: [(@Sendable (inout JobFilter) -> Void, @Sendable (Int64) -> Bool)] = [
        ({ _ in }, { _ in true }), ({ $0.queue = "b" }, { $0 % 3 == 1 }),
        ({ $0.states = [.cancelled] }, { $0 % 7 == 0 }),
        ({ $0.batch = "even" }, { $0 % 2 == 0 }), ({ $0.model = "m3" }, { $0 % 5 == 3 }),
        (
            { ($0.batch, $0.states, $0.model) = ("even", [.queued], "m2") },
            { $0 % 2 == 0 && $0 % 7 != 0 && $0 % 5 == 2 }
        ),
        ({ ($0.queue, $0.words) = ("a", ["p3"]) }, { $0 % 3 == 0 && "p\($0)".contains("p3") }),
    ]

    @Test(arguments: filters.indices)
    func `pages go through what matches, older and newer, each job once`(_ index: Int) throws {
        let (_, file) = try filled()
        var filter = JobFilter()
        Self.filters[index].0(&filter)
        let expected = (1...90).map(Int64.init).filter(Self.filters[index].1)
        // Few looks as well: a page is cut short then, and the next goes on.
        for looks in [20_000, 7] {
            var seen: [Int64] = []
            var position = PageRequest.Position.newest
            while true {
                let slice = try file.page(PageRequest(filter, at: position, limit: 4, looks: looks))
                #expect(slice.jobs.count <= 4)
                seen += slice.jobs.map(\.job.id.rawValue)
                guard let older = slice.older else { break }
                position = .before(older)
            }
            #expect(seen.reversed() == expected)
            seen = []
            position = .after(JobID(0))
            while true {
                let slice = try file.page(PageRequest(filter, at: position, limit: 4, looks: looks))
                seen += slice.jobs.map(\.job.id.rawValue).reversed()
                guard let newer = slice.newer else { break }
                position = .after(newer)
            }
            #expect(seen == expected)
        }
    }

    @Test func `batches come by name, and the latest first`() throws {
        let (fixture, file) = try filled()
        try fixture.insert("(prompt, batch) VALUES ('x', 'a'), ('y', 'z'), ('z', 'a')")
        #expect(try file.batchPage(after: nil, limit: 2).map(\.name) == ["a", "even"])
        #expect(try file.batchPage(after: "even", limit: 2).map(\.name) == ["z"])
        #expect(try file.latestBatches(limit: 2).map(\.name) == ["a", "z"])
        let even = try #require(try file.batch("even"))
        #expect(even.counts == [.queued: 39, .cancelled: 6])
        #expect(even.newest == JobID(90))
        #expect(try file.batch("none") == nil)
    }

    @Test func `no page reads through the jobs, and none of them can write`() throws {
        let (_, file) = try filled()
        let found = Mutex<Set<String>>([])
        try file.queue.read { db in
            db.trace { event in
                if case .statement(let statement) = event { found.withLock { _ = $0.insert(statement.sql) } }
            }
        }
        for (change, _) in Self.filters {
            var filter = JobFilter()
            change(&filter)
            _ = try file.page(PageRequest(filter, limit: 4))
            _ = try file.page(PageRequest(filter, at: .after(JobID(1)), limit: 4))
        }
        _ = try file.batchPage(after: nil, limit: 5)
        _ = try file.latestBatches(limit: 5)
        _ = try file.spending(per: .hour, since: Instant(milliseconds: 0))
        _ = try file.details(of: JobID(1))
        _ = try file.result(ResultID(job: JobID(1), ordinal: 0))
        let statements = found.withLock { $0 }.filter { $0.hasPrefix("SELECT") || $0.hasPrefix("WITH") }
        #expect(statements.count > 10)
        for sql in statements {
            let plan = try file.queue.read { db in
                let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
                statement.setUncheckedArguments(StatementArguments(Array(repeating: DatabaseValue.null, count: 40)))
                return try Row.fetchAll(statement).map { $0["detail"] as String }
            }
            // By id from the newest on, and no more than the limit says.
            let isLimited = sql.contains("ORDER BY id DESC LIMIT") || sql.contains("ORDER BY id ASC LIMIT")
            for step in plan where step == "SCAN jobs" || step == "SCAN attempts" || step == "SCAN results" {
                #expect(isLimited, "\(step) in: \(sql)")
            }
        }
        #expect(throws: (any Error).self) { try file.setPaused(true, queue: "a") }
    }

    @Test func `the claim is not tempted by the index of the pages`() throws {
        let (fixture, _) = try filled()
        let plan = try fixture.rows("EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE queue = 'a' AND state = 'queued'")
        #expect(!plan.joined().contains("jobs_listed"))
    }
}
