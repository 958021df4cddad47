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

    @Test func `a task found for a cancelled job is tracked, for its charge`() async throws {
        let fixture = try LedgerFixture()
        let (job, file) = try await unconfirmed(fixture)
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        try file.resolve(job.job, .task(TaskID("found")), now: fixture.now)
        #expect(try await fixture.ledger.takeResumed(now: fixture.now).tasks.map(\.task) == [TaskID("found")])
        #expect(try await fixture.ledger.takeResumed(now: fixture.now).tasks.isEmpty, "handed over once")
        #expect(try fixture.state(job.job) == "cancelled")
    }

    @Test func `a task is tracked though its job was cancelled before it was taken up`() async throws {
        let fixture = try LedgerFixture()
        let (job, file) = try await unconfirmed(fixture)
        try file.resolve(job.job, .task(TaskID("found")), now: fixture.now)
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        #expect(try await fixture.ledger.takeResumed(now: fixture.now).tasks.map(\.task) == [TaskID("found")])
    }
}
