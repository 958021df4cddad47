import FoundationEssentials
import GRDB
import Migrations
import PromptQueue
import Testing

@testable import JobStore

/// That a database of an earlier version is brought up to date with everything in it.
@Suite struct MigrationTests {
    /// A database of version `version`, with what `sql` puts into it.
    private func database(version: Int, _ sql: String) throws -> String {
        let path = ScratchDirectory.make() + "/old.sqlite"
        let queue = try openShell(path)
        try queue.inDatabase { db in
            for migration in Migrations.all.prefix(version) {
                try db.execute(sql: String(decoding: migration, as: UTF8.self))
            }
            try db.execute(sql: sql)
        }
        try queue.close()
        return path
    }

    @Test func `jobs and money of version 1 are kept, and the next claim goes on with them`() async throws {
        let now = Instant(milliseconds: 1_800_000_000_000)
        let path = try database(
            version: 1,
            """
            INSERT INTO budgets VALUES ('b', NULL, 'total', 40000);
            INSERT INTO jobs (prompt, batch) VALUES ('1', 'b'), ('2', 'b'), ('3', NULL);
            INSERT INTO jobs (prompt, run_at) VALUES ('4', 1900000000000);
            INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
            VALUES (1, '00000000000000000000000000000000', 'default', 'm', 1700000000000, 14000);
            UPDATE jobs SET state = 'submitting' WHERE id = 1;
            UPDATE attempts SET state = 'accepted', task_id = 't', answered_at = 1700000000000, finished_at = 1700000000000,
                reserved_millicredits = 0, charged_millicredits = 14000;
            UPDATE jobs SET state = 'failed', finished_at = 1700000000000, error_code = 'x' WHERE id = 1;
            """
        )
        let ledger = try SQLiteLedger(path: path)
        let shell = try openShell(path)
        #expect(try await shell.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == Migrations.all.count)
        #expect(try await shell.read { try Double.fetchOne($0, sql: "SELECT remaining FROM budget_status") } == 26)
        let request = ClaimRequest(
            limit: 5,
            rate: RateLimit(count: 20, window: .seconds(10)),
            runningLimit: 100,
            now: now
        )
        let claim = try await ledger.claim(request) { _ in
            .ready(
                PreparedInput(
                    input: [:],
                    estimate: Estimate(credits: Credits(millicredits: 13_000), basis: .listed("x"))
                )
            )
        }
        #expect(Set(claim.jobs.map(\.job.rawValue)) == [2, 3])
        #expect(claim.nextRunAt == Instant(milliseconds: 1_900_000_000_000))
        try ledger.close()
    }

    @Test func `each migration says its version`() throws {
        for version in 1...Migrations.all.count {
            let path = try database(version: version, "")
            let found = try openShell(path).read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
            #expect(found == version)
        }
    }
}
