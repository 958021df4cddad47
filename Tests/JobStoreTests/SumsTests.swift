import PromptQueue
import Testing

@testable import JobStore

/// Sums and counts that are kept, against what the rows add up to.
@Suite struct SumsTests {
    /// A ledger with something in every sum.
    private func used() async throws -> LedgerFixture {
        let fixture = try LedgerFixture()
        let done = try await fixture.runOne()
        let outputs: [TaskOutput] = [.file(url: "u")]
        try await fixture.record(
            .taskSucceeded(done.attempt, outputs, charged: Credits(millicredits: 12_000), fetch: true)
        )
        try fixture.insert("(prompt, queue) VALUES ('lost', 'other')", "(prompt, batch) VALUES ('waits', 'b')")
        for job in try await fixture.claim(1).jobs {
            try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "lost")))
        }
        try fixture.insert("(prompt, batch, priority) VALUES ('waits, too', 'b', 3)")
        return fixture
    }

    private func faults(_ fixture: LedgerFixture) throws -> Set<String> {
        let file = try QueueFile(path: fixture.path)
        defer { try? file.close() }
        return Set(try file.sumFaults().map(\.description))
    }

    @Test func `what promptd and producers do keeps every sum right`() async throws {
        let fixture = try await used()
        #expect(try faults(fixture) == [])
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE prompt = 'waits'")
        try fixture.run("UPDATE jobs SET queue = 'third' WHERE prompt = 'waits, too'")
        try fixture.run("DELETE FROM jobs WHERE prompt = 'waits'")
        #expect(try faults(fixture) == [])
    }

    @Test(arguments: [
        (
            "UPDATE spending SET charged_millicredits = 0 WHERE period = 'total'",
            "spending (total from 1970-01-01T00:00Z of default, charged_millicredits): 0, but the rows add up to 12000"
        ),
        (
            "INSERT INTO spending VALUES ('day', 86400000, 'nobody', 5, 0)",
            "spending (day from 1970-01-02T00:00Z of nobody, reserved_millicredits): 5, but the rows add up to 0"
        ),
        (
            "UPDATE accounts SET charged_millicredits = 1",
            "accounts (default, charged_millicredits): 1, but the rows add up to 12000"
        ),
        (
            "UPDATE accounts SET presumed_millicredits = 7",
            "accounts (default, presumed_millicredits): 7, but the rows add up to 0"
        ),
        (
            "UPDATE queue_counts SET jobs = 9 WHERE queue = 'default' AND state = 'running'",
            "queue_counts (default, running): 9, but the rows add up to 1"
        ),
        (
            "UPDATE turns SET waiting = 0 WHERE batch = 'b' AND priority = 3",
            "turns (default, priority 3, batch 'b'): 0, but the rows add up to 1"
        ),
    ])
    func `what somebody wrote to a sum is found, and put right`(statement: String, fault: String) async throws {
        let fixture = try await used()
        try fixture.run(statement)
        #expect(try faults(fixture) == [fault])
        let file = try QueueFile(path: fixture.path)
        #expect(try file.rebuildSums().map(\.description) == [fault])
        #expect(try file.rebuildSums() == [])
        try file.close()
        #expect(try faults(fixture) == [])
    }

    @Test func `a lane that somebody said to be empty is claimed from again`() async throws {
        let fixture = try await used()
        try fixture.run("UPDATE turns SET waiting = 0")
        let later = fixture.now + .seconds(60)
        #expect(try await fixture.claim(5, at: later).jobs.isEmpty)
        let file = try QueueFile(path: fixture.path)
        _ = try file.rebuildSums()
        try file.close()
        #expect(try await fixture.claim(5, at: later).jobs.count == 2)
    }
}
