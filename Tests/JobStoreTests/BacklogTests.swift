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
        #expect(QueueFile.shares(of: 10, among: jobs) == shares)
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
}
