import Foundation
import JobStore
import PromptQueue
import Testing

/// Statements that somebody may run without thinking of promptd, and that must not stop it, nor lose what is paid for.
@Suite struct StrangerTests {
    @Test func `more bad rows than one claim sets aside hold up nobody`() async throws {
        let fixture = try LedgerFixture()
        for _ in 0..<45 { try fixture.insert("(prompt) VALUES ('x')") }
        try fixture.run("UPDATE jobs SET attempt_count = 1000")
        try fixture.insert("(prompt) VALUES ('good')")
        var aside = 0
        for _ in 0..<3 {
            let claim = try await fixture.claim(5)
            aside += claim.setAside.count
            guard claim.jobs.isEmpty else {
                #expect(claim.jobs.map(\.job.rawValue) == [46])
                break
            }
            #expect(claim.hasMore, "the next claim goes on")
        }
        #expect(aside == 45)
    }

    @Test(arguments: [
        (
            "state = 'rejected', answered_at = sent_at, finished_at = sent_at, reserved_millicredits = 0, "
                + "error_code = 'mine'", "failed", 0
        ),
        (
            "state = 'unknown', answered_at = sent_at, arrives_until = sent_at, error_code = 'mine', "
                + "finished_at = sent_at, charged_millicredits = 14000, reserved_millicredits = 0", "failed", 14_000
        ),
        ("state = 'accepted', answered_at = sent_at, task_id = 'found'", "running", nil),
        (
            "state = 'unknown', answered_at = sent_at, arrives_until = sent_at, error_code = 'mine'", "unconfirmed", nil
        ),
    ])
    func `a request under way that somebody settles by SQL does not keep promptd from starting`(
        changes: String,
        state: String,
        charged: Int?
    ) async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let job = try await fixture.claimOne()
        try fixture.run("UPDATE attempts SET \(changes)")
        let recovery = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        #expect(try fixture.state(job.job) == state)
        #expect(recovery.tasks.map(\.task) == (state == "running" ? [TaskID("found")] : []))
        if let charged, charged > 0 {
            #expect(try fixture.rows("SELECT charged_millicredits FROM jobs") == ["\(charged)"])
        }
        #expect(try await fixture.claim(5).jobs.isEmpty, "it is not sent again by itself")
    }

    @Test(arguments: ["completions", "mean_milliseconds"])
    func `no row of completion times keeps a task from being settled`(column: String) async throws {
        let fixture = try LedgerFixture()
        let columns = "model, completions, mean_milliseconds"
        for value in ["-1", "-2", "9223372036854775807"] {
            let values = column == "completions" ? "\(value), 5" : "5, \(value)"
            #expect(
                fixture.refusal("INSERT INTO completion_times (\(columns)) VALUES ('m', \(values))")?
                    .contains("out of bounds") == true
            )
        }
        let job = try await fixture.runOne()
        let values = column == "completions" ? "4000000000000000, 5" : "5, 4000000000000000"
        try fixture.run("INSERT INTO completion_times (\(columns)) SELECT model, \(values) FROM attempts")
        let outputs: [TaskOutput] = [.file(url: "u")]
        try await fixture.record(
            .taskSucceeded(job.attempt, outputs, charged: .zero, fetch: true, took: .seconds(9_000_000_000_000))
        )
        #expect(try fixture.rows("SELECT finished_at IS NULL FROM attempts") == ["0"])
    }

    @Test func `a job that has a task is not tried again under another prompt`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        // Whether it still gives something nobody knows.
        try await fixture.record(.taskFailed(job.attempt, Failure(.taskLost, "no"), charged: .zero, then: .fail))
        for change in ["prompt = 'other'", "input = '{\"seed\":1}'"] {
            #expect(
                fixture.refusal("UPDATE jobs SET state = 'queued', \(change)")?.contains("insert another job") == true
            )
        }
        try fixture.run("UPDATE jobs SET state = 'queued', priority = 5")
        #expect(try fixture.state(job.job) == "running")
    }

    @Test func `a job that the provider has refused is tried again as something else, and paid for once more`()
        async throws
    {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try await fixture.record(.taskFailed(job.attempt, Failure(.contentRefused, "no"), charged: .zero, then: .fail))
        try fixture.run("UPDATE jobs SET state = 'queued', prompt = 'other'")
        #expect(try fixture.state(job.job) == "queued")
        let claim = try await fixture.claim(1)
        #expect(claim.jobs.map(\.job) == [job.job])
        #expect(try fixture.rows("SELECT prompt, state FROM jobs") == ["other|submitting"])
    }

    @Test func `a job that was refused before it was sent can be fixed and tried again`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('bad')")
        #expect(try await fixture.claim(1).refused.count == 1)
        try fixture.run("UPDATE jobs SET state = 'queued', prompt = 'good'")
        #expect(try await fixture.claim(1).jobs.count == 1)
    }

    @Test func `a job that is tried again brings back its queue`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, queue) VALUES ('x', 'posters')")
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        try fixture.run("DELETE FROM queues WHERE name = 'posters'")
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try fixture.rows("SELECT queue, queued FROM queue_status WHERE queue = 'posters'") == ["posters|1"])
        #expect(try await fixture.claim(5).jobs.count == 1)
    }

    @Test func `nobody says that a job has succeeded while its results are to be fetched`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        let outputs: [TaskOutput] = [.file(url: "u")]
        try await fixture.record(.taskSucceeded(job.attempt, outputs, charged: .zero, fetch: true))
        #expect(
            fixture.refusal("UPDATE jobs SET state = 'succeeded', finished_at = 1")?.contains("results are saved")
                == true
        )
    }

    @Test func `where nothing is downloaded a job succeeds with its results as URLs`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        let outputs: [TaskOutput] = [.file(url: "u")]
        let recorded = try await fixture.record(.taskSucceeded(job.attempt, outputs, charged: .zero, fetch: false))
        #expect(recorded.job?.state == .succeeded)
        #expect(try fixture.rows("SELECT url, state FROM results") == ["u|pending"])
    }

    /// A refusal that was kept beside the database is recorded after the start has made its request `unknown`.
    @Test(arguments: [false, true])
    func `a refusal of a request for which a callback has named a task leaves it in doubt`(isKept: Bool) async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let job = try await fixture.claimOne()
        try await fixture.ledger.noteHint(job.attempt, task: TaskID("named"))
        if isKept { _ = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate) }
        let refusal = Failure(.invalidInput, "no", httpStatus: 200, apiCode: 422)
        let recorded = try await fixture.record(
            .rejected(job.attempt, refusal, then: .retry(at: fixture.now, counted: false))
        )
        #expect(recorded.job?.state == .unconfirmed)
        #expect(try fixture.rows("SELECT state, hinted_task_id FROM attempts") == ["unknown|named"])
    }

    @Test func `a kept refusal of a request for which nobody has named a task is believed`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let job = try await fixture.claimOne()
        _ = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        let refusal = Failure(.invalidInput, "no", httpStatus: 200, apiCode: 422)
        let recorded = try await fixture.record(.rejected(job.attempt, refusal, then: .fail))
        #expect(recorded.job?.state == .failed)
        #expect(try fixture.rows("SELECT state, reserved_millicredits FROM attempts") == ["rejected|0"])
    }

    // MARK: - What would undo the ledger

    /// Under OR REPLACE a column that cannot be NULL takes its default, after BEFORE triggers have looked.
    @Test(arguments: [
        "jobs SET state", "jobs SET created_at", "jobs SET model", "jobs SET input", "jobs SET priority",
        "jobs SET attempt_count", "jobs SET max_attempts", "attempts SET state", "attempts SET profile",
        "attempts SET hint_changes", "results SET state",
    ])
    func `NULL is not a way to a column's default`(target: String) async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try await fixture.record(.taskSucceeded(job.attempt, [.file(url: "u")], charged: .zero, fetch: true))
        let file = SavedFile(path: "p", contentType: "image/png", bytes: 1, sha256: "s")
        try await fixture.record(.resultSaved(ResultID(job: job.job, ordinal: 0), file))
        #expect(try fixture.state(job.job) == "succeeded")
        for verb in ["UPDATE", "UPDATE OR REPLACE"] {
            #expect(fixture.refusal("\(verb) \(target) = NULL") != nil)
        }
        #expect(try await fixture.claim(5).jobs.isEmpty)
    }

    @Test func `a key stays its job's`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, unique_key) VALUES ('x', 'k')")
        #expect(fixture.refusal("UPDATE job_keys SET unique_key = 'other'")?.contains("goes with its job") == true)
        #expect(fixture.refusal("INSERT OR REPLACE INTO jobs (prompt, unique_key) VALUES ('y', 'k')") != nil)
        #expect(try fixture.rows("SELECT prompt FROM jobs") == ["x"])
    }

    @Test func `a lost request for which a callback has named a task is not settled by SQL as refused`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let job = try await fixture.claimOne()
        try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "lost")))
        try await fixture.ledger.noteHint(job.attempt, task: TaskID("named"))
        let short = "UPDATE attempts SET state = 'rejected', finished_at = answered_at, reserved_millicredits = 0"
        #expect(fixture.refusal(short + ", error_code = NULL")?.contains("promptctl resolve") == true)
        let settling = short + ", error_code = 'mine'"
        #expect(fixture.refusal(settling)?.contains("has named a task") == true)
        #expect(fixture.refusal("UPDATE attempts SET hint_changes = 8")?.contains("hint_changes") == true)
        // Once the provider has denied it, somebody may decide.
        try await fixture.record(.hintRefuted(job.attempt, TaskID("named")))
        #expect(fixture.refusal(settling) == nil)
    }

    @Test func `no statement says when a request that was answered may arrive, or that a lost one has`() async throws {
        let fixture = try LedgerFixture()
        let running = try await fixture.runOne()
        try fixture.insert("(prompt) VALUES ('x')")
        let sending = try await fixture.claimOne()
        for statement in [
            "SET arrives_until = 1 WHERE id = \(running.attempt)",
            "SET state = 'unknown', answered_at = sent_at WHERE id = \(sending.attempt)",
            "SET state = 'unknown', answered_at = sent_at, arrives_until = 1 WHERE id = \(sending.attempt)",
            "SET state = 'unknown', answered_at = 1, arrives_until = 1 WHERE id = \(sending.attempt)",
            "SET state = 'unknown', answered_at = 1, arrives_until = 9e17, error_code = 'x' WHERE id = \(sending.attempt)",
        ] {
            #expect(fixture.refusal("UPDATE attempts \(statement)")?.contains("arrives_until") == true)
        }
    }

    @Test func `a charge is not rewritten with the help of a result that never was`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        let price = Credits(millicredits: 14_000)
        try await fixture.record(.taskFailed(job.attempt, Failure(.taskFailed, "no"), charged: price, then: .fail))
        let result = "INSERT INTO results (job_id, ordinal, attempt_id, url, state, created_at)"
        #expect(fixture.refusal("\(result) VALUES (1, 0, 1, 'u', 'failed', 1)")?.contains("has succeeded") == true)
        let rewriting = "UPDATE attempts SET error_code = NULL, charged_millicredits = 0"
        #expect(fixture.refusal(rewriting)?.contains("what is settled") == true)
    }

    @Test func `nobody says that a job has succeeded whose failed task is asked about once more`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try await fixture.record(.taskFailed(job.attempt, Failure(.taskFailed, "no"), charged: .zero, then: .fail))
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try fixture.state(job.job) == "running")
        #expect(
            fixture.refusal("UPDATE jobs SET state = 'succeeded', finished_at = 1")?.contains("results are saved")
                == true
        )
        try await fixture.record(.taskSucceeded(job.attempt, [.file(url: "u")], charged: .zero, fetch: false))
        #expect(try fixture.state(job.job) == "succeeded")
    }

    /// Whoever writes all that promptd would have written has settled it; the result is not lost for that.
    @Test(arguments: [false, true])
    func `a running task that somebody settles by SQL brings its result`(isRestarted: Bool) async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        let settling = "UPDATE attempts SET finished_at = 5, charged_millicredits = 14000, reserved_millicredits = 0"
        #expect(fixture.refusal(settling)?.contains("promptd books") == true)
        try fixture.run("\(settling), charge_reported = 0")
        if isRestarted {
            let recovery = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
            #expect(recovery.tasks.map(\.attempt) == [job.attempt])
        }
        let recorded = try await fixture.record(
            .taskSucceeded(job.attempt, [.file(url: "u")], charged: .zero, fetch: true)
        )
        #expect(recorded.downloads.count == 1)
        #expect(try fixture.rows("SELECT url, state FROM results") == ["u|pending"])
        #expect(try fixture.rows("SELECT charged_millicredits FROM attempts") == ["14000"])
    }

    @Test(arguments: [RiskyOutcome.failed, .unknown])
    func `a running task that somebody settles by SQL and that fails ends its job, and is not paid for again`(
        outcome: RiskyOutcome
    ) async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try fixture.run(
            "UPDATE attempts SET finished_at = 5, charged_millicredits = 14000, reserved_millicredits = 0, "
                + "charge_reported = 0"
        )
        let failure = Failure(outcome == .failed ? .providerFault : .taskFailed, "no")
        let again = FailureDisposition.retry(at: fixture.now, counted: true)
        let recorded = try await fixture.record(.taskFailed(job.attempt, failure, charged: nil, then: again))
        #expect(recorded.job?.state == .failed)
        #expect(try await fixture.claim(5).jobs.isEmpty)
    }

    enum RiskyOutcome { case failed, unknown }

    @Test func `a job's task is that of its open attempt, or of its last one`() async throws {
        let fixture = try LedgerFixture()
        let first = try await fixture.runOne("old")
        let again = FailureDisposition.retry(at: fixture.now, counted: true)
        try await fixture.record(.taskFailed(first.attempt, Failure(.providerFault, "no"), charged: .zero, then: again))
        let second = try await fixture.claimOne()
        #expect(fixture.refusal("UPDATE jobs SET state = 'running', task_id = 'old'")?.contains("only promptd") == true)
        try await fixture.record(.accepted(second.attempt, task: TaskID("new"), httpStatus: 200))
        #expect(fixture.refusal("UPDATE jobs SET task_id = 'old'")?.contains("written by promptd") == true)
        try await fixture.record(.taskSucceeded(second.attempt, [.file(url: "u")], charged: .zero, fetch: false))
        #expect(try fixture.state(first.job) == "succeeded")
    }

    /// Each of these kept promptd from starting, or from claiming, for good.
    @Test(arguments: [
        "UPDATE attempts SET took_milliseconds = 5",
        "UPDATE attempts SET state = 'unknown', error_code = 'x', answered_at = -9223372036854775807, arrives_until = 1",
        "UPDATE attempts SET state = 'rejected', error_code = 'x', answered_at = 9223372036854775807, finished_at = 1, "
            + "reserved_millicredits = 0",
        "UPDATE attempts SET state = 'accepted', task_id = 't', answered_at = -9223372036854775807",
        "INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits, profile) "
            + "VALUES (9, lower(hex(randomblob(16))), 'q', 'm', 1, 1, printf('%.*c', 5000, 'x'))",
        "INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits, message) "
            + "VALUES (9, lower(hex(randomblob(16))), 'q', 'm', 1, 1, char(0))",
        "INSERT INTO attempts (id, job_id, token, queue, model, sent_at, reserved_millicredits) "
            + "VALUES (9223372036854775807, 9, lower(hex(randomblob(16))), 'q', 'm', 1, 1)",
        "INSERT INTO attempts (id, job_id, token, queue, model, sent_at, reserved_millicredits) "
            + "VALUES (-5, 9, lower(hex(randomblob(16))), 'q', 'm', 1, 1)",
        "INSERT OR REPLACE INTO daemon (id) VALUES (1)",
    ])
    func `what would keep promptd from starting is refused`(statement: String) async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')", "(prompt) VALUES ('y')")
        _ = try await fixture.claimOne()
        #expect(fixture.refusal(statement) != nil)
        _ = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        #expect(try await fixture.claim(1).jobs.count == 1)
    }

    /// They are put right by `promptctl doctor --rebuild-sums`; until then they are wrong, and nothing more.
    @Test(arguments: [
        "UPDATE spending SET charged_millicredits = 4000000000000000, reserved_millicredits = 4000000000000000",
        "UPDATE spending SET charged_millicredits = -4000000000000000, reserved_millicredits = -4000000000000000",
        "UPDATE accounts SET charged_millicredits = 4000000000000000, adopted_millicredits = 4000000000000000",
        "UPDATE queue_counts SET jobs = 4000000000000000", "UPDATE queue_counts SET jobs = -4000000000000000",
        "UPDATE turns SET turn = 4000000000000000, waiting = 4000000000000000, taken = 4000000000000000",
        "INSERT INTO spending SELECT 'hour', value, 'default', 4000000000000000, 4000000000000000 "
            + "FROM generate_series(1, 2000)",
    ])
    func `a sum that is spoiled keeps nothing from being inserted, claimed and settled`(statement: String) async throws
    {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try fixture.insert("(prompt) VALUES ('y')")
        let series =
            "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 2000) "
            + "SELECT value FROM n)"
        try fixture.run(statement.replacingOccurrences(of: "generate_series(1, 2000)", with: series))
        try fixture.run(
            "INSERT INTO budgets (name, queue, period, limit_millicredits) VALUES ('all', NULL, 'total', 1000000000)"
        )
        try fixture.insert("(prompt) VALUES ('z')")
        try await fixture.record(.taskSucceeded(job.attempt, [.file(url: "u")], charged: nil, fetch: false))
        #expect(try fixture.state(job.job) == "succeeded")
        try fixture.run("DELETE FROM budgets")
        #expect(try await fixture.claim(1).jobs.count == 1)
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE state = 'queued'")
        _ = try await fixture.claim(1)
    }

    @Test func `ids of pruned jobs are not given again, though somebody has emptied sqlite_sequence`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try await fixture.record(.taskFailed(job.attempt, Failure(.taskFailed, "no"), charged: .zero, then: .fail))
        try fixture.run("DELETE FROM jobs")
        try fixture.run("DELETE FROM sqlite_sequence WHERE name = 'jobs'")
        #expect(fixture.refusal("INSERT INTO jobs (prompt) VALUES ('x')") != nil)
        _ = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        try fixture.insert("(prompt) VALUES ('x')")
        #expect(try fixture.rows("SELECT id FROM jobs") == ["2"])
    }
}
