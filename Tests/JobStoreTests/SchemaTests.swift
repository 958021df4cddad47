import GRDB
import PromptQueue
import Testing

@testable import JobStore

/// What the database itself refuses, from any client, and how it says so.
@Suite struct SchemaTests {
    static let badRows: [(String, String)] = [
        ("(prompt, input) VALUES ('x', '{bad')", "jobs.input: must be a JSON object, like {\"aspect_ratio\":\"16:9\"}"),
        ("(prompt, input) VALUES ('x', '[]')", "jobs.input: must be a JSON object"),
        ("(prompt, labels) VALUES ('x', '1')", "jobs.labels: NULL or a JSON object"),
        ("(prompt, max_attempts) VALUES ('x', 0)", "jobs.max_attempts: 1 to 20"),
        ("(prompt, max_attempts) VALUES ('x', 21)", "jobs.max_attempts: 1 to 20"),
        ("(prompt, run_at) VALUES ('x', 1800000000)", "jobs.run_at: 0 or Unix time in milliseconds"),
        ("(prompt, queue) VALUES ('x', '')", "jobs.queue: 1 to 100 characters"),
        ("(prompt, model) VALUES ('x', '')", "jobs.model: must not be empty"),
        ("(prompt, priority) VALUES ('x', 'high')", "cannot store TEXT value in INTEGER column jobs.priority"),
        ("(prompt, state) VALUES ('x', 'running')", "jobs.state: a new job is queued; leave the column out"),
        ("(prompt, task_id) VALUES ('x', 'y')", "are written by promptd; leave them out"),
    ]

    @Test(arguments: badRows)
    func `a malformed row is refused with a message that says what is wrong`(values: String, message: String) throws {
        let fixture = try LedgerFixture()
        let refusal = try #require(fixture.refusal("INSERT INTO jobs " + values))
        #expect(refusal.contains(message))
    }

    static let states = ["queued", "submitting", "running", "succeeded", "failed", "cancelled", "unconfirmed"]

    /// What a user may do to a job that is queued, by plain SQL.
    @Test(arguments: states)
    func `of a queued job a user may only cancel`(state: String) throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let refusal = fixture.refusal("UPDATE jobs SET state = '\(state)'")
        #expect((refusal == nil) == (state == "cancelled" || state == "queued"), "\(refusal ?? "")")
    }

    @Test func `an illegal transition is named`() throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        #expect(
            fixture.refusal("UPDATE jobs SET state = 'succeeded'")
                == "jobs.state: illegal transition queued -> succeeded"
        )
        #expect(fixture.refusal("UPDATE jobs SET state = 'bogus'")?.contains("jobs.state: queued, submitting") == true)
    }

    @Test func `of a running job a user may only cancel`() async throws {
        for state in Self.states where state != "running" {
            let fixture = try LedgerFixture()
            _ = try await fixture.runOne()
            let refusal = fixture.refusal("UPDATE jobs SET state = '\(state)'")
            #expect((refusal == nil) == (state == "cancelled"), "\(state): \(refusal ?? "allowed")")
        }
    }

    @Test func `a job that is being sent cannot be cancelled that moment`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        _ = try await fixture.claimOne()
        #expect(
            fixture.refusal("UPDATE jobs SET state = 'cancelled'")?.hasPrefix(
                "jobs.state: illegal transition submitting -> cancelled (its request is under way"
            ) == true
        )
    }

    @Test func `what was sent cannot be rewritten`() async throws {
        let fixture = try LedgerFixture()
        _ = try await fixture.runOne()
        #expect(fixture.refusal("UPDATE jobs SET prompt = 'y'")?.contains("only while the job is queued") == true)
        #expect(fixture.refusal("UPDATE jobs SET model = 'y'")?.contains("cannot be changed") == true)
        #expect(fixture.refusal("UPDATE attempts SET token = 'y'")?.contains("cannot be rewritten") == true)
        #expect(fixture.refusal("DELETE FROM attempts")?.contains("kept for ever") == true)
        #expect(fixture.refusal("UPDATE attempts SET state = 'rejected'")?.contains("attempts") == true)
        #expect(fixture.refusal("DELETE FROM jobs")?.contains("cannot be deleted while") == true)
    }

    @Test func `the ledger cannot be rewritten by replacing a row, and results go with their job`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        let replacement =
            "INSERT OR REPLACE INTO attempts (id, job_id, token, queue, model, sent_at, reserved_millicredits)"
        let values = "VALUES (1, 1, '0123456789abcdef0123456789abcdef', 'default', 'm', 0, 0)"
        #expect(fixture.refusal("\(replacement) \(values)") == "attempts: the ledger cannot be rewritten")
        try await fixture.record(
            .taskSucceeded(job.attempt, [.file(url: "https://x/1")], charged: .zero, fetch: false)
        )
        try fixture.shell.inDatabase { try $0.execute(sql: "PRAGMA foreign_keys = OFF; DELETE FROM jobs") }
        #expect(try fixture.rows("SELECT count(*) FROM results") == ["0"])
        #expect(try fixture.rows("SELECT count(*) FROM attempts") == ["1"])
    }

    @Test func `a queued job can be edited, and moved to a new queue`() throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        try fixture.run("UPDATE jobs SET prompt = 'y', queue = 'ads', priority = 3")
        #expect(try fixture.rows("SELECT name FROM queues ORDER BY name") == ["ads", "default"])
        #expect(try fixture.rows("SELECT queue, queued FROM queue_status ORDER BY queue") == ["ads|1", "default|0"])
    }

    @Test func `a second insert with the same unique_key is refused, or skipped`() throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, unique_key) VALUES ('x', 'k')")
        #expect(
            fixture.refusal("INSERT INTO jobs (prompt, unique_key) VALUES ('x', 'k')")?.contains("unique_key") == true
        )
        try fixture.run("INSERT OR IGNORE INTO jobs (prompt, unique_key) VALUES ('x', 'k')")
        #expect(try fixture.rows("SELECT count(*) FROM jobs") == ["1"])
        #expect(try fixture.rows("SELECT queued FROM queue_status WHERE queue = 'default'") == ["1"])
    }

    @Test func `a job cannot be replaced, by its key or its id`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, unique_key) VALUES ('x', 'k')")
        _ = try await fixture.claimOne()
        let byKey = fixture.refusal("INSERT OR REPLACE INTO jobs (prompt, unique_key) VALUES ('y', 'k')")
        #expect(byKey?.hasPrefix("jobs: INSERT OR REPLACE would forget a job") == true)
        let byID = fixture.refusal("INSERT OR REPLACE INTO jobs (id, prompt) VALUES (1, 'y')")
        #expect(byID == "jobs.id: is given by the database; leave the column out")
        try fixture.run("INSERT INTO jobs (prompt, unique_key) VALUES ('y', 'k') ON CONFLICT (unique_key) DO NOTHING")
        #expect(try fixture.rows("SELECT id, prompt FROM jobs") == ["1|x"])
    }

    @Test func `a job cannot be replaced by clients that fire delete triggers either`() throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, unique_key) VALUES ('x', 'k')")
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        let refusal = fixture.refusal(
            "PRAGMA recursive_triggers = ON; INSERT OR REPLACE INTO jobs (prompt, unique_key) VALUES ('y', 'k')"
        )
        #expect(refusal?.hasPrefix("jobs: INSERT OR REPLACE would forget a job") == true)
        #expect(try fixture.rows("SELECT id, prompt FROM jobs") == ["1|x"])
    }

    @Test func `a key is free again when its job is deleted`() throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, unique_key) VALUES ('x', 'k')")
        // What was skipped is not remembered.
        try fixture.run("INSERT OR IGNORE INTO jobs (prompt, unique_key) VALUES ('x', 'k')")
        try fixture.run("DELETE FROM jobs")
        try fixture.insert("(prompt, unique_key) VALUES ('y', 'k')")
    }

    @Test func `promptd's own columns cannot be bent so that a job is sent twice`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        _ = try await fixture.claimOne()
        let failed = "UPDATE jobs SET state = 'failed', finished_at = 1, error_code = 'x'"
        #expect(fixture.refusal(failed)?.contains("its task may still be running") == true)
        #expect(fixture.refusal("UPDATE jobs SET task_id = 'z'") == "jobs.task_id: is written by promptd")
    }

    @Test func `trying again a job that never left puts it back`() throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        #expect(try fixture.rows("SELECT finished_at IS NOT NULL FROM jobs") == ["1"])
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try fixture.rows("SELECT state, finished_at IS NULL FROM jobs") == ["queued|1"])
    }

    @Test func `every view can be read while the tables are empty and full`() async throws {
        let fixture = try LedgerFixture()
        let views = try fixture.rows("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name")
        #expect(views.count >= 7)
        for view in views { _ = try fixture.rows("SELECT * FROM \(view)") }
        _ = try await fixture.runOne()
        try fixture.run(
            "INSERT INTO budgets (name, queue, period, limit_millicredits) VALUES ('b', NULL, 'day', 500000)"
        )
        for view in views { _ = try fixture.rows("SELECT * FROM \(view)") }
    }

    @Test func `a database of a newer schema is refused with what to do`() throws {
        let fixture = try LedgerFixture()
        try fixture.run("PRAGMA user_version = 99")
        let error = #expect(throws: LedgerError.self) { try SQLiteLedger(path: fixture.path) }
        #expect(error?.code == .unusable)
        let advice = "schema version 99, newer than this program's \(Schema.version); upgrade promptd"
        #expect(error?.message.contains(advice) == true)
    }

    @Test func `a database of somebody else's is refused and left alone`() throws {
        let directory = ScratchDirectory.make()
        let queue = try openShell(directory + "/other.sqlite")
        try queue.write { try $0.execute(sql: "CREATE TABLE t (a)") }
        let error = #expect(throws: LedgerError.self) { try SQLiteLedger(path: directory + "/other.sqlite") }
        #expect(error?.message.contains("is not a database of promptd") == true)
        #expect(try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_schema") } == 1)
    }

    @Test func `a queue with jobs cannot be deleted`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, queue) VALUES ('a red fox', 'shop')")
        let refusal = fixture.refusal("DELETE FROM queues WHERE name = 'shop'")
        #expect(refusal?.hasPrefix("queues: it still has jobs") == true)
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        #expect(fixture.refusal("DELETE FROM queues WHERE name = 'shop'") == nil)
    }
}
