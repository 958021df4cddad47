import JobStore
import PromptQueue
import Testing

/// The conformance suite's part about results that are on their way when something happens to their job.
@Suite struct CancelledDownloadTests {
    private let file = SavedFile(path: "default/1-0.png", contentType: "image/png", bytes: 3, sha256: "ab")

    /// A job with a result that is being fetched.
    private func fetching(_ fixture: LedgerFixture) async throws -> ResultID {
        let job = try await fixture.runOne()
        try await fixture.record(
            .taskSucceeded(job.attempt, [.file(url: "https://x/1")], charged: .zero, fetch: true)
        )
        return ResultID(job: job.job, ordinal: 0)
    }

    @Test func `a file that comes after its job was cancelled is not taken`() async throws {
        let fixture = try LedgerFixture()
        let result = try await fetching(fixture)
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        for _ in 0..<2 {
            #expect(try await fixture.record(.resultSaved(result, file)).isUnwanted)
            #expect(
                try fixture.rows("SELECT state, path, error_message FROM results") == [
                    "failed||cancelled before it was downloaded"
                ]
            )
        }
        try fixture.run("DELETE FROM jobs")
        #expect(try await fixture.record(.resultSaved(result, file)).isUnwanted, "its job is gone")
    }

    @Test func `a file that was taken is not unwanted when it is recorded again`() async throws {
        let fixture = try LedgerFixture()
        let result = try await fetching(fixture)
        for _ in 0..<2 { #expect(try await !fixture.record(.resultSaved(result, file)).isUnwanted) }
        #expect(try fixture.state(result.job) == "succeeded")
    }

    @Test func `a job that was cancelled and asked for again takes the file that comes`() async throws {
        let fixture = try LedgerFixture()
        let result = try await fetching(fixture)
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        #expect(try await fixture.ledger.unwanted([result]) == [result])
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try await fixture.ledger.unwanted([result]) == [])
        #expect(try await !fixture.record(.resultSaved(result, file)).isUnwanted)
        #expect(try fixture.state(result.job) == "succeeded")
    }

    @Test func `of many results those are named that nobody waits for`() async throws {
        let fixture = try LedgerFixture()
        let result = try await fetching(fixture)
        let other = ResultID(job: result.job, ordinal: 1)
        let gone = ResultID(job: JobID(99), ordinal: 0)
        #expect(try await fixture.ledger.unwanted([gone, result, other]) == [gone, other])
        try await fixture.record(.resultSaved(result, file))
        #expect(try await fixture.ledger.unwanted([result]) == [result])
    }

    @Test func `why a result is not there yet is noted until it is there`() async throws {
        let fixture = try LedgerFixture()
        let result = try await fetching(fixture)
        let reason = "SELECT state, error_message FROM results"
        try await fixture.record(.resultDelayed(result, message: "HTTP 503"))
        #expect(try fixture.rows(reason) == ["pending|HTTP 503"])
        try await fixture.record(.resultSaved(result, file))
        #expect(try fixture.rows(reason) == ["saved|"])
        try await fixture.record(.resultDelayed(result, message: "HTTP 503"))
        #expect(try fixture.rows(reason) == ["saved|"], "what comes late changes nothing")
    }
}
