import FoundationEssentials
import GRDB
import JobStore
import PromptQueue
import Testing

/// Claiming from five million jobs, a million of them scheduled for later and ten thousand in a paused queue, beside
/// claiming from ten thousand. Takes minutes, so only with `PROMPTD_SYSTEM_TESTS`.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["PROMPTD_SYSTEM_TESTS"] != nil))
struct ClaimScaleTests {
    @Test func `the cost of a claim does not grow with the backlog`() async throws {
        let small = try await medianClaim(due: 8_000, later: 1_900, paused: 100)
        let large = try await medianClaim(due: 3_990_000, later: 1_000_000, paused: 10_000)
        let ratio = large / small
        print("claim of 20: \(small) at 10,000 jobs, \(large) at 5,000,000: ratio \(ratio)")
        // A scan would be hundreds of times slower; noise of the disk is not.
        #expect(ratio < 5)
    }

    private func medianClaim(due: Int, later: Int, paused: Int) async throws -> Duration {
        let fixture = try LedgerFixture()
        let future = fixture.now.milliseconds + 86_400_000
        // Scheduled jobs have the highest priority, so that they stand before all that is due.
        for (count, columns, values) in [
            (later, "prompt, priority, run_at", "'x', 9, \(future) + value"),
            (paused, "prompt, priority, queue", "'x', 8, 'paused'"),
            (due, "prompt, priority", "'x', value % 5"),
        ] {
            try fixture.run(
                """
                INSERT INTO jobs (\(columns))
                WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < \(count))
                SELECT \(values) FROM n
                """
            )
        }
        try fixture.run("UPDATE queues SET paused = 1 WHERE name = 'paused'")
        try await fixture.ledger.maintain()
        var times: [Duration] = []
        for round in 0..<50 {
            // Far enough apart that the window is open each time.
            let instant = fixture.now + .seconds(Int64(round) * 20)
            var request = fixture.request(20, at: instant)
            request.runningLimit = 10_000
            let clock = ContinuousClock()
            let start = clock.now
            let claim = try await fixture.claim(request)
            times.append(clock.now - start)
            try #require(claim.jobs.count == 20)
            for job in claim.jobs {
                try await fixture.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200), at: instant)
            }
        }
        return times.sorted()[times.count / 2]
    }
}
