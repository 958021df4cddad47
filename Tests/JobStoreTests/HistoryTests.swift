import GRDB
import PromptQueue
import Testing

@testable import JobStore

/// How long tasks took, as the ledger remembers it.
@Suite struct HistoryTests {
    private func run(_ fixture: LedgerFixture, _ resolution: String, took: Duration, at instant: Instant) async throws {
        try fixture.insert("(prompt, batch) VALUES ('x', 'b')")
        let claim = try await fixture.ledger.claim(fixture.request(1, at: instant)) { _ in
            .ready(
                PreparedInput(
                    input: ["resolution": .string(resolution)],
                    estimate: Estimate(credits: .zero, basis: .listed("test")),
                    unknownFields: []
                )
            )
        }
        let attempt = try #require(claim.jobs.first).attempt
        try await fixture.record(.accepted(attempt, task: TaskID("t\(attempt)"), httpStatus: 200), at: instant)
        let change = LedgerChange.taskSucceeded(
            attempt,
            [.file(url: "u")],
            charged: .zero,
            fetch: false,
            took: took
        )
        try await fixture.record(change, at: instant + took)
    }

    @Test func `a start finds the latest completions of each model and profile, oldest first`() async throws {
        let fixture = try LedgerFixture()
        for number in 0..<6 {
            let instant = fixture.now + .seconds(60 * number)
            let resolution = number.isMultiple(of: 2) ? "1K" : "2K"
            try await run(fixture, resolution, took: .seconds(10 + number), at: instant)
        }
        let recovery = try await fixture.ledger.recover(
            now: fixture.now + .seconds(1_000),
            rate: RateLimit(count: 20, window: .seconds(10))
        )
        #expect(recovery.history.map(\.took) == (0..<6).map { .seconds(10 + $0) })
        #expect(
            recovery.history.map(\.key.profile)
                == (0..<6).map { $0.isMultiple(of: 2) ? "resolution=1k" : "resolution=2k" }
        )
    }

    @Test func `an open task keeps its profile over a restart`() async throws {
        let fixture = try LedgerFixture()
        _ = try await fixture.runOne()
        try fixture.run("UPDATE attempts SET profile = 'n=4'")
        let recovery = try await fixture.ledger.recover(
            now: fixture.now,
            rate: RateLimit(count: 20, window: .seconds(10))
        )
        #expect(recovery.tasks.map(\.profile) == ["n=4"])
    }

    @Test func `each model's mean time is kept, and a batch's finish follows it`() async throws {
        let fixture = try LedgerFixture()
        try await run(fixture, "1K", took: .seconds(100), at: fixture.now)
        try await run(fixture, "1K", took: .seconds(200), at: fixture.now + .seconds(60))
        #expect(try fixture.rows("SELECT completions, mean_milliseconds FROM completion_times") == ["2|150000"])
        #expect(try fixture.rows("SELECT estimated_finish FROM batch_status") == [""])
        try fixture.insert("(prompt, batch) VALUES ('x', 'b')")
        #expect(try fixture.rows("SELECT estimated_finish FROM batch_status") == [""], "no limits are known yet")
        try await fixture.record(.limits(RateLimit(count: 20, window: .seconds(10)), running: 100))
        let ahead = try fixture.rows(
            "SELECT unixepoch(estimated_finish) - unixepoch('now') BETWEEN 150 AND 153 FROM batch_status"
        )
        #expect(ahead == ["1"])
        try await fixture.record(.limits(RateLimit(count: 20, window: .seconds(10)), running: 1))
        let slow = try fixture.rows(
            "SELECT unixepoch(estimated_finish) - unixepoch('now') BETWEEN 299 AND 302 FROM batch_status"
        )
        #expect(slow == ["1"], "with one place each job waits for the one before it")
    }
}
