import JobStore
import PromptQueue
import Testing

/// What there is to measure.
struct FiguresTests {
    @Test func `jobs that are due are told from those that are scheduled, by queue, and so is a pause`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert(
            "(prompt, queue) VALUES ('a', 'shop'), ('b', 'shop')",
            "(prompt, queue, run_at) VALUES ('later', 'shop', 4000000000000)",
            "(prompt, queue, run_at) VALUES ('was later', 'blog', unixepoch() * 1000 + 3600000)"
        )
        try fixture.run("UPDATE queues SET paused = 1 WHERE name = 'blog'")
        func queues() async throws -> [String] {
            try await fixture.ledger.figures().queues.filter { $0.name != "default" }
                .map { "\($0.name) \($0.due) \($0.isPaused)" }
        }
        #expect(try await queues() == ["blog 0 true", "shop 2 false"])
        // Its time has come, and nothing has been claimed since.
        try fixture.run("UPDATE jobs SET run_at = unixepoch() * 1000 - 1000 WHERE prompt = 'was later'")
        #expect(try await queues() == ["blog 1 true", "shop 2 false"])
        _ = try await fixture.claim(1)
        #expect(try await queues().last == "shop 1 false")
    }

    @Test func `results that wait, jobs that are set aside and the account's age are counted`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        let outputs = [TaskOutput.file(url: "https://example.com/a.png"), .file(url: "https://example.com/b.png")]
        try await fixture.record(.taskSucceeded(job.attempt, outputs, charged: nil, fetch: true))
        try fixture.insert("(prompt) VALUES ('x')")
        let other = try await fixture.claimOne()
        try await fixture.record(.setAside(other.attempt, reason: "why"))
        let reading = BalanceReading(balance: Credits(millicredits: 5_000), askedAt: fixture.now, isQuiet: true)
        try await fixture.record(.balance(reading), at: fixture.now + .seconds(1))
        let figures = try await fixture.ledger.figures()
        #expect(figures.pendingResults == 2)
        #expect(figures.setAside == 1)
        #expect(figures.balance == Credits(millicredits: 5_000))
        #expect(figures.balanceReadAt == fixture.now + .seconds(1))
        #expect((figures.availableBytes ?? 0) > 0)
    }
}
