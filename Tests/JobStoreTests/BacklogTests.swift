import PromptQueue
import Testing

@testable import JobStore

/// What `status` reads of the backlog.
@Suite struct BacklogTests {
    @Test(
        arguments: [
            ([], []), ([3], [3]), ([50], [10]), ([2, 50], [2, 8]), ([50, 2, 50], [4, 2, 4]), ([1, 2, 3], [1, 2, 3]),
            // So many queues that the total is passed, by one job each.
            (Array(repeating: 7, count: 12), Array(repeating: 1, count: 12)),
        ] as [([Int], [Int])]
    )
    func `small queues are looked at as a whole, the others in equal shares`(jobs: [Int], shares: [Int]) {
        #expect(BacklogSample.shares(of: 10, among: jobs) == shares)
    }

    @Test func `jobs that differ in their prompts only are one group, and a sample says how large it is`() throws {
        let fixture = try LedgerFixture()
        try fixture.run(
            """
            WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 30)
            INSERT INTO jobs (prompt, input) SELECT 'fox ' || v, iif(v % 3 = 0, '{"resolution":"2K"}', '{}') FROM n;
            INSERT INTO jobs (prompt, model, queue) VALUES ('a film', 'film', 'films');
            INSERT INTO jobs (prompt, run_at) VALUES ('later', 4000000000000);
            """
        )
        let file = try QueueFile(path: fixture.path)
        let backlog = try file.status().backlog
        #expect(backlog.map(\.queue) == ["default", "films"])
        #expect(backlog.map(\.jobs) == [31, 1])
        #expect(backlog.map(\.sampled) == [31, 1])
        #expect(backlog[0].unpriced.map(\.jobs).sorted() == [10, 21])
        #expect(backlog[0].unpriced.first { $0.first.input == "{}" }?.first.prompt == "fox 1")
        #expect(backlog[0].models == ["flux-2/flex-text-to-image": 31])
        #expect(backlog[1].unpriced.map(\.first.prompt) == ["a film"])
        let sampled = try file.status(sample: 11).backlog
        #expect(sampled.map(\.sampled) == [10, 1])
        #expect(sampled[0].jobs == 31)
    }

    @Test func `of a queue whose jobs are all scheduled as many are looked at, however many of others come before`()
        throws
    {
        let fixture = try LedgerFixture()
        try fixture.run(
            """
            WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 60)
            INSERT INTO jobs (prompt, queue, run_at) SELECT 'soon', 'sooner', 3000000000000 FROM n
            UNION ALL SELECT 'later', 'later', 4000000000000 FROM n WHERE v <= 20;
            """
        )
        let file = try QueueFile(path: fixture.path)
        let backlog = try file.status(sample: 10).backlog
        #expect(backlog.map(\.queue) == ["later", "sooner"])
        #expect(backlog.map(\.sampled) == [5, 5])
        // Even if nothing of it were found, it would not be free of charge.
        var record = try file.status(sample: 10)
        record = StatusRecord(
            daemon: record.daemon,
            accounts: record.accounts,
            queues: record.queues,
            budgets: record.budgets,
            gates: record.gates,
            backlog: [BacklogSample(queue: "later", jobs: 3)],
            underWay: record.underWay,
            prices: record.prices,
            durations: record.durations,
            firstUnconfirmed: nil,
            account: nil
        )
        let forecast = Forecast(record, .builtIn, now: fixture.now)
        #expect(forecast.credits == Credits(millicredits: 60_000) && !forecast.isExact)
    }

    @Test(arguments: ["prompt", "batch", "queue", "key"])
    func `a text with a NUL is refused, and not cut short`(field: String) throws {
        let fixture = try LedgerFixture()
        let file = try QueueFile(path: fixture.path)
        var job = NewJob(
            prompt: field == "prompt" ? "abc\0, but not red" : "abc",
            model: "m",
            input: "{}",
            queue: field == "queue" ? "default\0q" : "default"
        )
        if field == "batch" { job.batch = "C\0zz" }
        if field == "key" { job.uniqueKey = "k\00" }
        let found = #expect(throws: LedgerError.self) { _ = try file.add([job], now: fixture.now) }
        #expect(found?.message.hasSuffix(": holds a NUL character") == true)
        #expect(try fixture.rows("SELECT count(*) FROM jobs") == ["0"])
    }

    @Test func `a filter with a NUL finds nothing, and not what its beginning names`() throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, batch) VALUES ('x', 'C')")
        let file = try QueueFile(path: fixture.path)
        var filter = JobFilter()
        filter.batch = "C\0nothing"
        #expect(try file.page(PageRequest(filter, limit: 10)).jobs.isEmpty)
        filter.batch = "C"
        #expect(try file.page(PageRequest(filter, limit: 10)).jobs.count == 1)
        #expect(throws: LedgerError.self) { try file.setPaused(true, queue: "default\0x") }
        #expect(try fixture.rows("SELECT paused FROM queues") == ["0"])
    }
}
