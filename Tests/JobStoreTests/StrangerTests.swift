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
            "state = 'rejected', answered_at = sent_at, finished_at = sent_at, reserved_millicredits = 0", "failed", 0
        ),
        (
            "state = 'unknown', answered_at = sent_at, finished_at = sent_at, charged_millicredits = 14000, "
                + "reserved_millicredits = 0", "failed", 14_000
        ),
        ("state = 'accepted', answered_at = sent_at, task_id = 'found'", "running", nil),
        ("state = 'unknown', answered_at = sent_at", "unconfirmed", nil),
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
        try await fixture.record(.taskFailed(job.attempt, Failure(.taskFailed, "no"), charged: .zero, then: .fail))
        for change in ["prompt = 'other'", "input = '{\"seed\":1}'"] {
            #expect(
                fixture.refusal("UPDATE jobs SET state = 'queued', \(change)")?.contains("insert another job") == true
            )
        }
        try fixture.run("UPDATE jobs SET state = 'queued', priority = 5")
        #expect(try fixture.state(job.job) == "running")
    }

    @Test func `a job that was refused before it was sent can be mended and tried again`() async throws {
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

    @Test func `a refusal of a request for which a callback has named a task leaves it in doubt`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let job = try await fixture.claimOne()
        try await fixture.ledger.noteHint(job.attempt, task: TaskID("named"))
        let refusal = Failure(.invalidInput, "no", httpStatus: 200, apiCode: 422)
        let recorded = try await fixture.record(
            .rejected(job.attempt, refusal, then: .retry(at: fixture.now, counted: false))
        )
        #expect(recorded.job?.state == .unconfirmed)
        #expect(try fixture.rows("SELECT state, hinted_task_id FROM attempts") == ["unknown|named"])
    }
}
