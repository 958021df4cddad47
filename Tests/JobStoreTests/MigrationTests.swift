import FoundationEssentials
import GRDB
import Glibc
import Migrations
import PromptQueue
import Testing

@testable import JobStore

/// That a database of an earlier version is brought up to date with everything in it.
@Suite struct MigrationTests {
    /// A database of version `version`, with what `sql` puts into it.
    private func database(version: Int, _ sql: String = "") throws -> String {
        let path = ScratchDirectory.make() + "/old.sqlite"
        let queue = try openShell(path)
        try queue.inDatabase { db in
            for migration in Migrations.all.prefix(version - Migrations.first + 1) {
                try db.execute(sql: String(decoding: migration, as: UTF8.self))
            }
            try db.execute(sql: sql)
        }
        try queue.close()
        return path
    }

    private func version(_ path: String) throws -> Int? {
        try openShell(path).read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
    }

    @Test func `jobs and money of the first version are kept, and the next claim goes on with them`() async throws {
        let now = Instant(milliseconds: 1_800_000_000_000)
        let path = try database(
            version: Migrations.first,
            """
            INSERT INTO budgets (name, queue, period, limit_millicredits) VALUES ('b', NULL, 'total', 40000);
            INSERT INTO jobs (prompt, batch) VALUES ('1', 'b'), ('2', 'b'), ('3', NULL);
            INSERT INTO jobs (prompt, run_at) VALUES ('4', 1900000000000);
            INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
            VALUES (1, '00000000000000000000000000000000', 'default', 'm', 1700000000000, 14000);
            UPDATE jobs SET state = 'submitting' WHERE id = 1;
            UPDATE attempts SET state = 'accepted', task_id = 't', answered_at = 1700000000000;
            UPDATE attempts SET finished_at = 1700000000000, reserved_millicredits = 0, charged_millicredits = 14000,
                charge_reported = 1, error_code = 'x';
            UPDATE jobs SET state = 'failed', finished_at = 1700000000000, error_code = 'x' WHERE id = 1;
            """
        )
        let ledger = try SQLiteLedger(path: path)
        let shell = try openShell(path)
        #expect(try version(path) == Migrations.version)
        #expect(try await shell.read { try Double.fetchOne($0, sql: "SELECT remaining FROM budget_status") } == 26)
        #expect(try await shell.read { try String?.fetchAll($0, sql: "SELECT input FROM attempts") } == [nil])
        let request = ClaimRequest(
            limit: 5,
            rate: RateLimit(count: 20, window: .seconds(10)),
            runningLimit: 100,
            now: now
        )
        let claim = try await ledger.claim(request) { _ in
            .ready(
                PreparedInput(
                    input: ["seed": 7],
                    estimate: Estimate(credits: Credits(millicredits: 13_000), basis: .listed("x"))
                )
            )
        }
        #expect(Set(claim.jobs.map(\.job.rawValue)) == [2, 3])
        #expect(claim.nextRunAt == Instant(milliseconds: 1_900_000_000_000))
        let sent = try await shell.read { try String?.fetchAll($0, sql: "SELECT input FROM attempts ORDER BY id") }
        #expect(sent == [nil, #"{"seed":7}"#, #"{"seed":7}"#])
        try ledger.close()
    }

    @Test func `a copy of what it was is kept, with the rights of the database`() throws {
        let path = try database(version: Migrations.first, "INSERT INTO jobs (prompt) VALUES ('a fox')")
        unsafe chmod(path, 0o640)
        try SQLiteLedger(path: path).close()
        let kept = "\(path).schema-\(Migrations.first)"
        #expect(try version(kept) == Migrations.first)
        #expect(try openShell(kept).read { try String.fetchOne($0, sql: "SELECT prompt FROM jobs") } == "a fox")
        var status = stat()
        #expect(unsafe stat(kept, &status) == 0 && status.st_mode & 0o777 == 0o640)
        // A database that is up to date leaves none, and a new one neither.
        try FileManager.default.removeItem(atPath: kept)
        try SQLiteLedger(path: path).close()
        #expect(!FileManager.default.fileExists(atPath: kept))
    }

    @Test func `a step that fails leaves the database as it was`() throws {
        let path = try database(version: Migrations.first, "INSERT INTO jobs (prompt) VALUES ('a fox')")
        let queue = try openShell(path)
        let broken = Migrations.all + [Array("CREATE TABLE extra (id); SELECT no_such_column FROM jobs".utf8)]
        #expect(throws: DatabaseError.self) { try queue.inDatabase { try Schema.migrate($0, broken) } }
        #expect(try version(path) == Migrations.first)
        #expect(try queue.read { try $0.tableExists("extra") } == false)
        try queue.close()
        try SQLiteLedger(path: path).close()
        #expect(try version(path) == Migrations.version)
    }

    @Test func `each migration says its version`() throws {
        for version in Migrations.first...Migrations.version {
            #expect(try self.version(database(version: version)) == version)
        }
    }

    @Test func `a database from before the first release is refused with what to do`() throws {
        let path = try database(version: Migrations.first, "PRAGMA user_version = 13")
        let error = #expect(throws: LedgerError.self) { try SQLiteLedger(path: path) }
        #expect(error?.code == .unusable)
        #expect(error?.message.contains("let the promptd that made it finish its jobs") == true)
        #expect(try version(path) == 13)
    }

    @Test func `a migration that fails leaves the database as it was`() throws {
        let path = try database(version: Migrations.version, "INSERT INTO jobs (prompt) VALUES ('x')")
        let broken =
            "CREATE TABLE new (x); PRAGMA user_version = 1000; UPDATE jobs SET prompt = 'y'; SELECT nothing FROM it;"
        let queue = try openShell(path)
        #expect(throws: DatabaseError.self) {
            try queue.inDatabase { try Schema.migrate($0, Migrations.all + [Array(broken.utf8)]) }
        }
        try queue.close()
        #expect(try version(path) == Migrations.version)
        let (prompts, tables) = try openShell(path).read { db in
            (
                try String.fetchAll(db, sql: "SELECT prompt FROM jobs"),
                try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema WHERE name = 'new'")
            )
        }
        #expect(prompts == ["x"])
        #expect(tables == 0)
    }

    /// `docs/schema.sql` is what all migrations make: `PROMPTD_WRITE_DOCS=1 swift test --filter MigrationTests` writes it.
    @Test func `the documented schema is the one that the migrations make`() throws {
        let path = try database(version: Migrations.version)
        let objects = try openShell(path).read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
                    ORDER BY CASE type WHEN 'view' THEN 2 ELSE 1 END, tbl_name,
                        CASE type WHEN 'table' THEN 1 WHEN 'index' THEN 2 ELSE 3 END, name
                    """
            )
        }
        let text =
            "-- The schema, version \(Migrations.version), as the files in migrations/ make it. Written by a test; not edited.\n\n"
            + objects.map { $0 + ";\n" }.joined(separator: "\n")
        let file = URL(filePath: #filePath).appending(path: "../../../docs/schema.sql").standardized
        if ProcessInfo.processInfo.environment["PROMPTD_WRITE_DOCS"] != nil {
            try Data(text.utf8).write(to: file)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }
}
