import JobStore
import PromptQueue
import Testing

/// The conformance suite's second half: what is recorded, and that the second time changes nothing.
@Suite struct OutcomeTests {
    private let money =
        "SELECT state, reserved_millicredits, charged_millicredits, finished_at IS NOT NULL FROM attempts"

    @Test func `an accepted attempt's job runs, with its reservation`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        #expect(try fixture.rows("SELECT state, task_id FROM jobs") == ["running|task-1"])
        #expect(try fixture.rows(money) == ["accepted|14000||0"])
        try await fixture.record(.accepted(job.attempt, task: TaskID("task-1"), httpStatus: 200))
        #expect(try fixture.rows(money) == ["accepted|14000||0"])
    }

    @Test func `what was charged is booked and the reservation released, once`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        let change = LedgerChange.taskSucceeded(
            job.attempt,
            [.file(url: "https://x/1.png"), .object(json: "{}")],
            charged: Credits(millicredits: 12_500),
            fetch: true
        )
        let first = try await fixture.record(change)
        #expect(first.downloads.map(\.result.ordinal) == [0, 1])
        let second = try await fixture.record(change)
        #expect(second.downloads == first.downloads)
        #expect(try fixture.rows(money) == ["accepted|0|12500|1"])
        #expect(
            try fixture.rows("SELECT charged_millicredits, provider_state, state FROM jobs") == [
                "12500|success|running"
            ]
        )
    }

    @Test func `a charge that is not reported is booked as reserved`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try await fixture.record(
            .taskSucceeded(job.attempt, [.file(url: "https://x/1.png")], charged: nil, fetch: true)
        )
        #expect(try fixture.rows(money) == ["accepted|0|14000|1"])
    }

    @Test func `a job succeeds when its last result is saved`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try await fixture.record(
            .taskSucceeded(
                job.attempt,
                [.file(url: "https://x/1"), .file(url: "https://x/2")],
                charged: .zero,
                fetch: true
            )
        )
        let file = SavedFile(path: "default/1-0.png", contentType: "image/png", bytes: 3, sha256: "ab")
        try await fixture.record(.resultSaved(ResultID(job: job.job, ordinal: 0), file))
        #expect(try fixture.state(job.job) == "running")
        try await fixture.record(.resultSaved(ResultID(job: job.job, ordinal: 1), file))
        #expect(try fixture.state(job.job) == "succeeded")
    }

    @Test func `results that cannot be fetched fail the job, and trying again fetches them without paying`()
        async throws
    {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try await fixture.record(.taskSucceeded(job.attempt, [.file(url: "https://x/1")], charged: .zero, fetch: true))
        try await fixture.record(.resultFailed(ResultID(job: job.job, ordinal: 0), message: "HTTP 404"))
        #expect(try fixture.rows("SELECT state, error_code FROM jobs") == ["failed|download_failed"])
        #expect(try fixture.rows("SELECT url, state FROM results") == ["https://x/1|failed"])
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try fixture.rows("SELECT state, task_id FROM jobs") == ["running|task-1"])
        let resumed = try await fixture.ledger.takeResumed(now: fixture.now)
        #expect(resumed.downloads.map(\.output) == [.file(url: "https://x/1")])
        #expect(resumed.tasks.isEmpty)
        #expect(try await fixture.ledger.takeResumed(now: fixture.now).downloads.isEmpty, "handed over once")
        #expect(try await fixture.claim(5).jobs.isEmpty)
    }

    @Test func `without downloads a job succeeds with its task`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try await fixture.record(.taskSucceeded(job.attempt, [.file(url: "https://x/1")], charged: .zero, fetch: false))
        #expect(try fixture.state(job.job) == "succeeded")
        #expect(try fixture.rows("SELECT state FROM results") == ["pending"])
    }

    @Test func `a rejected attempt costs nothing; the job goes back or fails`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let later = fixture.now + .seconds(5)
        var job = try await fixture.claimOne()
        try await fixture.record(
            .rejected(job.attempt, Failure(.rateLimited, "slow"), then: .retry(at: fixture.now, counted: false))
        )
        #expect(try fixture.rows("SELECT state, attempt_count, run_at FROM jobs") == ["queued|0|0"])
        job = try await fixture.claimOne()
        try await fixture.record(
            .rejected(job.attempt, Failure(.providerUnavailable, "down"), then: .retry(at: later, counted: true))
        )
        #expect(try fixture.rows("SELECT state, attempt_count, run_at FROM jobs") == ["queued|1|\(later.milliseconds)"])
        let claim = try await fixture.claim(1, at: later)
        job = try #require(claim.jobs.first)
        #expect(job.attemptCount == 2)
        try await fixture.record(.rejected(job.attempt, Failure(.invalidInput, "no"), then: .fail))
        #expect(try fixture.rows("SELECT state, error_code FROM jobs") == ["failed|invalid_input"])
        #expect(try fixture.rows("SELECT sum(reserved_millicredits), count(*) FROM attempts") == ["0|3"])
    }

    @Test func `an unknown attempt keeps its reservation and its job is never sent again`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let job = try await fixture.claimOne()
        try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "lost")))
        #expect(try fixture.rows(money) == ["unknown|14000||0"])
        #expect(try fixture.state(job.job) == "unconfirmed")
        #expect(try await fixture.claim(5, at: fixture.now + .seconds(86_400)).jobs.isEmpty)
        let refusal = fixture.refusal("UPDATE jobs SET state = 'queued'")
        #expect(refusal?.contains("may have made a task") == true)
        try await fixture.record(.accepted(job.attempt, task: TaskID("late"), httpStatus: 200))
        #expect(try fixture.rows("SELECT state, task_id FROM jobs") == ["running|late"])
    }

    @Test func `a task that fails is settled, and its job tried again or not`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        let failure = Failure(.providerFault, "500: internal error")
        let later = fixture.now + .seconds(3)
        try await fixture.record(
            .taskFailed(job.attempt, failure, charged: .zero, then: .retry(at: later, counted: true))
        )
        #expect(try fixture.rows(money) == ["accepted|0|0|1"])
        #expect(try fixture.rows("SELECT state, attempt_count, charged_millicredits FROM jobs") == ["queued|1|0"])
    }

    @Test func `a cancelled job's task is tracked to its end and its charge booked`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        let recovery = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        #expect(recovery.tasks.map(\.attempt) == [job.attempt])
        let recorded = try await fixture.record(
            .taskSucceeded(
                job.attempt,
                [.file(url: "https://x/1")],
                charged: Credits(millicredits: 14_000),
                fetch: true
            )
        )
        #expect(recorded.downloads.isEmpty)
        #expect(try fixture.rows("SELECT state, charged_millicredits FROM jobs") == ["cancelled|14000"])
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try fixture.state(job.job) == "running", "what is paid for is fetched, not paid for again")
    }

    @Test func `a job that was cancelled while its last file came is not paid for again`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try await fixture.record(
            .taskSucceeded(job.attempt, [.file(url: "https://x/1")], charged: .zero, fetch: true)
        )
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        let file = SavedFile(path: "default/1-0.png", contentType: "image/png", bytes: 3, sha256: "ab")
        try await fixture.record(.resultSaved(ResultID(job: job.job, ordinal: 0), file))
        try fixture.run("UPDATE jobs SET state = 'queued'")
        let resumed = try await fixture.ledger.takeResumed(now: fixture.now)
        #expect(resumed.downloads.map(\.output) == [.file(url: "https://x/1")], "fetched again, because it was removed")
        #expect(try fixture.state(job.job) == "running")
        #expect(try await fixture.claim(5).jobs.isEmpty)
        try await fixture.record(.resultSaved(ResultID(job: job.job, ordinal: 0), file))
        #expect(try fixture.state(job.job) == "succeeded")
    }

    @Test func `a cancelled job that is tried again while its task runs takes it up again`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try fixture.state(job.job) == "running")
        #expect(try await fixture.ledger.takeResumed(now: fixture.now).tasks.map(\.attempt) == [job.attempt])
        #expect(try await fixture.claim(5).jobs.isEmpty)
    }

    @Test func `a start makes what was being sent unknown and lists what is open`() async throws {
        let fixture = try LedgerFixture()
        let running = try await fixture.runOne()
        try fixture.insert("(prompt) VALUES ('y')")
        let lost = try await fixture.claimOne()
        let recovery = try await fixture.ledger.recover(now: fixture.now + .seconds(1), rate: fixture.request(1).rate)
        #expect(recovery.lost == [lost.job])
        #expect(recovery.tasks.map(\.task) == [TaskID("task-1")])
        #expect(recovery.answeredAt == [fixture.now], "the lost one keeps its slot in the ledger's own count")
        #expect(try fixture.state(lost.job) == "unconfirmed")
        #expect(try fixture.state(running.job) == "running")
    }

    @Test func `gates are replaced as a whole`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let note = GateNote(name: "credits", closedAt: fixture.now, reopensAt: nil, message: "none left")
        try await fixture.record(.gates([note]))
        #expect(try fixture.rows("SELECT blocked_by FROM queue_status") == ["credits"])
        #expect(try fixture.rows("SELECT provider FROM daemon_status") == ["credits"])
        try await fixture.record(.gates([]))
        #expect(try fixture.rows("SELECT blocked_by FROM queue_status") == [""])
    }

    @Test func `counts by state agree with the jobs, whatever happened`() async throws {
        let fixture = try LedgerFixture()
        _ = try await fixture.runOne()
        try fixture.insert("(prompt, queue) VALUES ('x', 'b')", "(prompt) VALUES ('bad')", "(prompt) VALUES ('z')")
        _ = try await fixture.claim(2)
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = 1")
        try fixture.run("DELETE FROM jobs WHERE state = 'failed'")
        let counted = try fixture.rows("SELECT queue, state, jobs FROM queue_counts WHERE jobs <> 0 ORDER BY 1, 2")
        let actual = try fixture.rows("SELECT queue, state, count(*) FROM jobs GROUP BY 1, 2 ORDER BY 1, 2")
        #expect(counted == actual)
    }
}
