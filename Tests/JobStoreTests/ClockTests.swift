import JobStore
import PromptQueue
import Testing

/// The wall's clock was set back: the ledger has instants that are yet to come.
@Suite struct ClockTests {
    private func answered(after delay: Duration) async throws -> LedgerFixture {
        let fixture = try LedgerFixture()
        for _ in 0..<25 { try fixture.insert("(prompt) VALUES ('x')") }
        for job in try await fixture.claim(20).jobs {
            try await fixture.record(
                .accepted(job.attempt, task: TaskID("t\(job.attempt)"), httpStatus: 200),
                at: fixture.now + delay
            )
        }
        return fixture
    }

    @Test func `answers of a far future hold no slots`() async throws {
        let fixture = try await answered(after: .seconds(86_400))
        #expect(try await fixture.claim(100).jobs.count == 5)
    }

    @Test func `answers of a near future hold their slots for two windows at the most`() async throws {
        let fixture = try await answered(after: .seconds(9))
        #expect(try await fixture.claim(100, at: fixture.now + .milliseconds(18_999)).jobs.isEmpty)
        #expect(try await fixture.claim(100, at: fixture.now + .seconds(19)).jobs.count == 5)
    }
}
