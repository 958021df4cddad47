import PromptQueue
import Testing

@testable import JobStore

/// What the ledger tells of a job for its sidecar.
@Suite struct ProvenanceTests {
    @Test func `a job is told with its money, times and results`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try await fixture.record(
            .taskSucceeded(
                job.attempt,
                [.file(url: "https://x/1"), .object(json: "{}")],
                charged: Credits(millicredits: 13_500),
                fetch: true
            )
        )
        let file = SavedFile(path: "default/1-0.png", contentType: "image/png", bytes: 3, sha256: "ab")
        try await fixture.record(.resultSaved(ResultID(job: job.job, ordinal: 0), file))
        let found = try #require(try await fixture.ledger.provenance(of: job.job))
        #expect(found.job.id == job.job)
        #expect(found.job.model == job.model)
        #expect(found.task == "task-1")
        #expect(try found.sent.map { try JSONValue(parsing: $0) } == .object(job.input))
        #expect(found.charged == Credits(millicredits: 13_500))
        #expect(found.estimated == job.reserved)
        #expect(found.submittedAt != nil)
        #expect(found.taskFinishedAt != nil)
        #expect(found.results.map(\.url) == ["https://x/1", nil])
        #expect(found.results.map(\.file) == [file, nil])
        let missing = try await fixture.ledger.provenance(of: JobID(99))
        #expect(missing == nil)
    }
}
