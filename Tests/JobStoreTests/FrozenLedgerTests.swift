import GRDB
import PromptQueue
import Synchronization
import Testing

@testable import JobStore

/// What no statement may change, from whatever client.
@Suite struct FrozenLedgerTests {
    private func settled() async throws -> (LedgerFixture, lost: ClaimedJob) {
        let fixture = try LedgerFixture()
        let done = try await fixture.runOne()
        let outputs: [TaskOutput] = [.file(url: "u")]
        try await fixture.record(
            .taskSucceeded(done.attempt, outputs, charged: Credits(millicredits: 14_000), fetch: true)
        )
        let file = SavedFile(path: "p", contentType: "image/png", bytes: 1, sha256: "s")
        try await fixture.record(.resultSaved(ResultID(job: done.job, ordinal: 0), file))
        try fixture.insert("(prompt) VALUES ('lost')")
        let lost = try await fixture.claimOne()
        try await fixture.record(.unknown(lost.attempt, Failure(.answerLost, "lost")))
        return (fixture, lost)
    }

    @Test(arguments: [
        "UPDATE attempts SET charged_millicredits = 0 WHERE state = 'accepted'",
        "UPDATE attempts SET task_id = 'zzz' WHERE state = 'accepted'",
        "UPDATE attempts SET answered_at = 1 WHERE state = 'accepted'",
        "UPDATE attempts SET http_status = 1 WHERE state = 'accepted'",
        "UPDATE attempts SET finished_at = NULL WHERE state = 'accepted'",
        "UPDATE attempts SET error_code = 'x' WHERE state = 'accepted'",
        "UPDATE attempts SET reserved_millicredits = 0 WHERE state = 'unknown'",
        "UPDATE attempts SET finished_at = 1 WHERE state = 'unknown'",
        "UPDATE attempts SET finished_at = 1, reserved_millicredits = 0, charged_millicredits = 0 WHERE state = 'unknown'",
        "UPDATE attempts SET arrives_until = NULL WHERE state = 'unknown'",
        "UPDATE attempts SET input = '{}' WHERE state = 'accepted'",
        "UPDATE attempts SET task_source = 'operator' WHERE state = 'accepted'",
        "UPDATE attempts SET result_json = '{}' WHERE state = 'accepted'",
        "UPDATE jobs SET charged_millicredits = 9223372036854775807 WHERE id = 2",
        "UPDATE jobs SET charged_millicredits = 0 WHERE id = 1",
        "UPDATE jobs SET turn = 9223372036854775807 WHERE id = 2",
        "UPDATE jobs SET attempt_count = 9223372036854775807 WHERE id = 2",
        "UPDATE jobs SET error_code = 'x' WHERE id = 1",
        "UPDATE jobs SET finished_at = 5 WHERE id = 1",
        "UPDATE jobs SET state = 'queued' WHERE state = 'unconfirmed'",
        "UPDATE results SET url = 'other'",
        "UPDATE results SET state = 'pending'", "UPDATE results SET role = 'lastFrame'",
        "DELETE FROM results",
        "INSERT INTO results (job_id, ordinal, attempt_id, url, created_at) VALUES (2, 0, 2, 'x', 1)",
        "DELETE FROM spending", "DELETE FROM queue_counts", "DELETE FROM daemon", "DELETE FROM accounts",
        "DELETE FROM attempts",
    ])
    func `a statement that rewrites the ledger is refused`(statement: String) async throws {
        let (fixture, _) = try await settled()
        let before = try fixture.rows("SELECT * FROM attempts") + fixture.rows("SELECT * FROM jobs")
        #expect(fixture.refusal(statement) != nil)
        #expect(try fixture.rows("SELECT * FROM attempts") + fixture.rows("SELECT * FROM jobs") == before)
    }

    @Test func `results go with their job`() async throws {
        let (fixture, _) = try await settled()
        try fixture.run("DELETE FROM jobs WHERE id = 1")
        #expect(try fixture.rows("SELECT count(*) FROM results") == ["0"])
    }

    @Test func `a cancelled backlog does not put the next job behind it`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run(
            """
            INSERT INTO jobs (prompt)
            WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 2000)
            SELECT 'mistake' FROM n
            """
        )
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        try fixture.insert("(prompt) VALUES ('mine')")
        for _ in 0..<20 { try fixture.insert("(prompt, batch) VALUES ('x', 'big')") }
        let claim = try await fixture.claim(4)
        #expect(claim.jobs.prefix(2).map(\.job.rawValue).contains(2_001))
        #expect(try fixture.rows("SELECT waiting FROM turns ORDER BY batch") == ["0", "17"])
    }

    @Test func `a job that is tried again does not wait behind its whole batch, nor do others behind such jobs`()
        async throws
    {
        let fixture = try LedgerFixture()
        for _ in 0..<40 { try fixture.insert("(prompt, batch) VALUES ('x', 'a')") }
        let first = try await fixture.claim(1)
        let failure = Failure(.invalidInput, "x")
        try await fixture.record(.rejected(first.jobs[0].attempt, failure, then: .fail))
        try fixture.run("UPDATE jobs SET state = 'queued' WHERE state = 'failed'")
        #expect(try await fixture.claim(2).jobs.map(\.job.rawValue).contains(1))
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE state = 'queued'")
        for _ in 0..<4 { try fixture.insert("(prompt, batch) VALUES ('x', 'b')") }
        try fixture.run("UPDATE jobs SET state = 'queued' WHERE state = 'cancelled'")
        let mixed = try await fixture.claim(10).jobs.map(\.job.rawValue)
        #expect(mixed.count(where: { $0 > 40 }) == 4)
    }

    @Test func `of many queues only those that come next are looked at`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run(
            """
            INSERT INTO jobs (prompt, queue)
            WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 3000)
            SELECT 'x', 'tenant-' || value FROM n
            """
        )
        let statements = Mutex(0)
        try await fixture.ledger.pool.writeWithoutTransaction { db in
            db.trace { event in
                if case .statement = event { statements.withLock { $0 += 1 } }
            }
        }
        var seen: Set<String> = []
        for round in 0..<3 {
            let instant = fixture.now + .seconds(Int64(round) * 20)
            statements.withLock { $0 = 0 }
            let claim = try await fixture.claim(20, at: instant)
            #expect(claim.jobs.count == 20)
            // Triggers' statements included; a look at each queue would be thousands.
            #expect(statements.withLock { $0 } < 1_500)
            seen.formUnion(claim.jobs.map(\.queue))
            for job in claim.jobs {
                try await fixture.record(.rejected(job.attempt, Failure(.invalidInput, "x"), then: .fail), at: instant)
            }
        }
        #expect(seen.count == 60, "each queue has its turn")
    }
}
