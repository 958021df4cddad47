import GRDB
import JobStore
import PromptQueue
import Testing

/// The queue and the batch of a job come along with what is read of it, so that nobody has to ask for them.
struct OriginTests {
    private let origin = JobOrigin(queue: "shop", batch: "autumn")

    private func claimOne(_ fixture: LedgerFixture) async throws -> ClaimedJob {
        try fixture.insert("(prompt, queue, batch) VALUES ('a red fox', 'shop', 'autumn')")
        return try await fixture.claimOne()
    }

    @Test func `a claim knows the batch of what it takes and of what it refuses`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert(
            "(prompt, queue, batch) VALUES ('a red fox', 'shop', 'autumn')",
            "(prompt, queue) VALUES ('bad', 'shop')"
        )
        let claim = try await fixture.claim(2)
        #expect(claim.jobs.map(\.origin) == [origin])
        #expect(claim.refused.map(\.origin) == [JobOrigin(queue: "shop")])
    }

    @Test func `a callback and a start know it, and so do lost requests, until the job's row is gone`() async throws {
        let fixture = try LedgerFixture()
        let job = try await claimOne(fixture)
        try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "lost")))
        try await fixture.ledger.noteHint(job.attempt, task: TaskID("t"))
        #expect(try await fixture.ledger.hintTarget(token: job.token)?.candidate(TaskID("t")).origin == origin)
        let rate = RateLimit(count: 20, window: .seconds(10))
        let lost = try await fixture.ledger.recover(now: fixture.now, rate: rate).unknown
        #expect(lost.map(\.origin) == [origin])
        #expect(lost.map(\.hinted?.origin) == [origin])

        try await fixture.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200))
        #expect(try await fixture.ledger.recover(now: fixture.now, rate: rate).tasks.map(\.origin) == [origin])
        let outputs = [TaskOutput.file(url: "https://example.com/a.png")]
        let ended = try await fixture.record(.taskSucceeded(job.attempt, outputs, charged: nil, fetch: true))
        #expect(ended.downloads.map(\.origin) == [origin])
    }

    @Test func `what is settled by giving up knows it`() async throws {
        let fixture = try LedgerFixture()
        let job = try await claimOne(fixture)
        try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "lost")))
        #expect(try await fixture.record(.gaveUp(job.attempt)).settled.map(\.origin) == [origin])
    }
}
