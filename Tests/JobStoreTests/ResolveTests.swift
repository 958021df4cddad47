import GRDB
import JobStore
import PromptQueue
import Testing

/// What becomes of a job whose answer was lost, once an operator has settled it.
struct ResolveTests {
    /// A job whose only attempt is unknown.
    private func unconfirmed(_ fixture: LedgerFixture) async throws -> (job: ClaimedJob, file: QueueFile) {
        try fixture.insert("(prompt, max_attempts) VALUES ('x', 1)")
        let job = try await fixture.claimOne()
        try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "lost")))
        return (job, try QueueFile(path: fixture.path))
    }

    @Test func `an attempt that made no task does not count`() async throws {
        let fixture = try LedgerFixture()
        let (job, file) = try await unconfirmed(fixture)
        try file.resolve(job.job, .resubmit, now: fixture.now)
        let again = try #require(try await fixture.claim(1, at: fixture.now + .seconds(60)).jobs.first)
        #expect(again.attemptCount == 1)
        #expect(try fixture.rows("SELECT attempt_count, max_attempts FROM jobs") == ["1|1"])
    }
}
