import PromptQueue
import Testing

@testable import JobStore

/// What callbacks ask of the ledger.
@Suite struct CallbackTests {
    private func unknown(_ fixture: LedgerFixture) async throws -> ClaimedJob {
        try fixture.insert("(prompt) VALUES ('a red fox')")
        let job = try await fixture.claimOne()
        try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "lost")))
        return job
    }

    @Test func `a token leads to its attempt, in every state`() async throws {
        let fixture = try LedgerFixture()
        #expect(try await fixture.ledger.hintTarget(token: AttemptToken(String(repeating: "0", count: 32))) == nil)
        try fixture.insert("(prompt, max_attempts) VALUES ('a red fox', 5)")
        let job = try await fixture.claimOne()
        let sending = try #require(try await fixture.ledger.hintTarget(token: job.token))
        #expect(sending.attempt == job.attempt)
        #expect(sending.job == job.job)
        #expect(sending.state == .sending)
        #expect(sending.isOpen)
        #expect(sending.task == nil)
        #expect(sending.model == job.model)
        #expect(sending.since == fixture.now)
        #expect(sending.attemptCount == 1)
        #expect(sending.maxAttempts == 5)

        try await fixture.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200))
        let accepted = try #require(try await fixture.ledger.hintTarget(token: job.token))
        #expect(accepted.state == .accepted)
        #expect(accepted.task == TaskID("t"))
        #expect(accepted.isOpen)

        try await fixture.record(.taskFailed(job.attempt, Failure(.taskFailed, "x"), charged: .zero, then: .fail))
        #expect(try #require(try await fixture.ledger.hintTarget(token: job.token)).isOpen == false)
        // Attempts outlive their jobs.
        try fixture.run("DELETE FROM jobs")
        #expect(try await fixture.ledger.hintTarget(token: job.token)?.job == job.job)
    }

    @Test func `looking up a token reads one row by its index and writes nothing`() async throws {
        let fixture = try LedgerFixture()
        let before = fixture.ledger.transactions
        _ = try await fixture.ledger.hintTarget(token: AttemptToken(String(repeating: "0", count: 32)))
        #expect(fixture.ledger.transactions == before)
        let plan = try fixture.rows("EXPLAIN QUERY PLAN SELECT * FROM attempts AS a WHERE a.token = 'x'")
        #expect(plan.count == 1)
        #expect(plan.first?.contains("SEARCH a USING INDEX sqlite_autoindex_attempts") == true, "\(plan)")
    }

    @Test func `a task that a callback named for a lost request is there after a restart`() async throws {
        let fixture = try LedgerFixture()
        let job = try await unknown(fixture)
        try await fixture.ledger.noteHint(job.attempt, task: TaskID("named"))
        let target = try #require(try await fixture.ledger.hintTarget(token: job.token))
        #expect(target.hinted == TaskID("named"))
        #expect(target.prompt == "a red fox")
        #expect(!target.needsNote(of: TaskID("named")))
        #expect(target.needsNote(of: TaskID("other")))
        try fixture.ledger.close()
        let next = try SQLiteLedger(path: fixture.path)
        let rate = RateLimit(count: 20, window: .seconds(10))
        let recovery = try await next.recover(now: fixture.now, rate: rate)
        #expect(recovery.unknown.map(\.hinted?.task) == [TaskID("named")])
        #expect(recovery.unknown.first?.hinted?.model == job.model)
        #expect(recovery.unknown.first?.hinted?.prompt == "a red fox")
        #expect(recovery.tasks.isEmpty, "a hint settles nothing")
        #expect(try fixture.state(job.job) == "unconfirmed")
        try next.close()
    }

    @Test func `a name that came while the request was out is there after a crash`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('a red fox')")
        let job = try await fixture.claimOne()
        try await fixture.ledger.noteHint(job.attempt, task: TaskID("named"))
        let rate = RateLimit(count: 20, window: .seconds(10))
        let recovery = try await fixture.ledger.recover(now: fixture.now, rate: rate)
        #expect(recovery.unknown.map(\.hinted?.task) == [TaskID("named")])
    }

    @Test func `names are noted a few times at most, and only while they may be needed`() async throws {
        let fixture = try LedgerFixture()
        let job = try await unknown(fixture)
        for number in 1...100 {
            try await fixture.ledger.noteHint(job.attempt, task: TaskID("name-\(number)"))
            try await fixture.ledger.noteHint(job.attempt, task: TaskID("name-\(number)"))
        }
        let most = HintTarget.maximumChanges
        #expect(try fixture.rows("SELECT hinted_task_id, hint_changes FROM attempts") == ["name-\(most)|\(most)"])
        #expect(try #require(try await fixture.ledger.hintTarget(token: job.token)).needsNote(of: TaskID("x")) == false)

        let running = try await fixture.runOne("known")
        try await fixture.ledger.noteHint(running.attempt, task: TaskID("other"))
        #expect(
            try fixture.rows("SELECT hinted_task_id IS NULL, hint_changes FROM attempts WHERE task_id = 'known'")
                == ["1|0"]
        )
        try QueueFile(path: fixture.path).resolve(job.job, .fail, now: fixture.now)
        #expect(try await fixture.ledger.hintTarget(token: job.token)?.needsNote(of: TaskID("x")) == false)
    }

    @Test func `a lost request is settled by the task that a callback names`() async throws {
        let fixture = try LedgerFixture()
        let job = try await unknown(fixture)
        let recorded = try await fixture.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200))
        #expect(recorded.refusal == nil)
        #expect(try fixture.rows("SELECT state, task_id FROM jobs") == ["running|t"])
        #expect(
            try fixture.rows("SELECT state, task_id, error_code, reserved_millicredits FROM attempts")
                == ["accepted|t||14000"]
        )
        // Idempotent.
        #expect(
            try await fixture.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200)).refusal == nil
        )
    }

    @Test func `a task that is another attempt's is refused`() async throws {
        let fixture = try LedgerFixture()
        _ = try await fixture.runOne("taken")
        let job = try await unknown(fixture)
        let recorded = try await fixture.record(.accepted(job.attempt, task: TaskID("taken"), httpStatus: 200))
        #expect(recorded.refusal == AcceptanceRefusal())
        #expect(try fixture.state(job.job) == "unconfirmed")
        #expect(try fixture.rows("SELECT count(*) FROM attempts WHERE task_id = 'taken'") == ["1"])
    }

    @Test(arguments: [Resolution.fail, .resubmit])
    func `what an operator has settled stays settled`(resolution: Resolution) async throws {
        let fixture = try LedgerFixture()
        let job = try await unknown(fixture)
        try QueueFile(path: fixture.path).resolve(job.job, resolution, now: fixture.now)
        let before = try fixture.rows("SELECT * FROM attempts") + fixture.rows("SELECT * FROM jobs")
        let recorded = try await fixture.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200))
        #expect(recorded.refusal == AcceptanceRefusal())
        #expect(try fixture.rows("SELECT * FROM attempts") + fixture.rows("SELECT * FROM jobs") == before)
    }

    @Test func `a task that an operator has named stays, and is told`() async throws {
        let fixture = try LedgerFixture()
        let job = try await unknown(fixture)
        try QueueFile(path: fixture.path).resolve(job.job, .task(TaskID("theirs")), now: fixture.now)
        let recorded = try await fixture.record(.accepted(job.attempt, task: TaskID("ours"), httpStatus: 200))
        #expect(recorded.refusal?.instead?.task == TaskID("theirs"))
        #expect(recorded.refusal?.instead?.attempt == job.attempt)
        #expect(try fixture.rows("SELECT task_id FROM attempts") == ["theirs"])
    }

    @Test func `a job that was cancelled while unconfirmed stays cancelled, and its charge is booked`() async throws {
        let fixture = try LedgerFixture()
        let job = try await unknown(fixture)
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        #expect(try await fixture.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200)).refusal == nil)
        #expect(try fixture.state(job.job) == "cancelled")
        try await fixture.record(
            .taskSucceeded(
                job.attempt,
                [.file(url: "u")],
                charged: Credits(millicredits: 14_000),
                fetch: true
            )
        )
        #expect(try fixture.state(job.job) == "cancelled")
        #expect(try fixture.rows("SELECT charged_millicredits FROM jobs") == ["14000"])
    }
}
