import JobStore
import PromptQueue
import Testing

/// The conformance suite's first half: what is claimed, in which order, within which limits.
@Suite struct ClaimTests {
    @Test func `jobs are claimed by priority, and among equals the queues take turns`() async throws {
        let fixture = try LedgerFixture()
        let soon = fixture.now.milliseconds - 1_000
        try fixture.insert(
            "(prompt, priority) VALUES ('1', 0)",
            "(prompt, priority, queue) VALUES ('2', 5, 'ads')",
            "(prompt, priority, run_at) VALUES ('3', 5, \(soon))",
            "(prompt, priority, run_at, queue) VALUES ('4', 5, \(soon - 1), 'ads')",
            "(prompt, priority) VALUES ('5', 0)",
            "(prompt, priority) VALUES ('6', 9)"
        )
        let claim = try await fixture.claim(10)
        #expect(claim.jobs.map(\.job.rawValue) == [6, 2, 3, 4, 1, 5])
    }

    @Test func `a claim is an attempt, a reservation and a state in one`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let job = try await fixture.claimOne()
        #expect(job.attemptCount == 1)
        #expect(job.input == ["prompt": "x"])
        #expect(
            try fixture.rows("SELECT state, job_id, sent_at, reserved_millicredits, length(token) FROM attempts")
                == ["sending|1|\(fixture.now.milliseconds)|14000|32"]
        )
        #expect(
            try fixture.rows("SELECT state, attempt_count, estimated_millicredits FROM jobs") == ["submitting|1|14000"]
        )
    }

    @Test func `scheduled jobs wait, and the next instant is known`() async throws {
        let fixture = try LedgerFixture()
        let later = fixture.now + .seconds(60)
        try fixture.insert("(prompt, run_at, priority) VALUES ('x', \(later.milliseconds), 9)")
        let claim = try await fixture.claim(5)
        #expect(claim.jobs.isEmpty)
        #expect(!claim.hasMore)
        #expect(claim.nextRunAt == later)
        #expect(try await fixture.claim(5, at: later).jobs.count == 1)
    }

    @Test func `a paused queue submits nothing`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, queue) VALUES ('x', 'ads')", "(prompt) VALUES ('y')")
        try fixture.run("UPDATE queues SET paused = 1 WHERE name = 'ads'")
        #expect(try await fixture.claim(5).jobs.map(\.job.rawValue) == [2])
        #expect(try fixture.rows("SELECT blocked_by FROM queue_status WHERE queue = 'ads'") == ["paused"])
    }

    @Test func `a queue's own limit on running jobs is kept`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert(
            "(prompt, queue) VALUES ('x', 'ads')",
            "(prompt, queue) VALUES ('y', 'ads')",
            "(prompt) VALUES ('z')"
        )
        try fixture.run("UPDATE queues SET max_running = 1 WHERE name = 'ads'")
        #expect(try await fixture.claim(5).jobs.map(\.job.rawValue) == [1, 3])
        #expect(try await fixture.claim(5).jobs.isEmpty)
        #expect(try fixture.rows("SELECT blocked_by FROM queue_status WHERE queue = 'ads'") == ["running"])
    }

    @Test func `the ledger counts busy slots itself, whoever asks`() async throws {
        let fixture = try LedgerFixture()
        for _ in 0..<25 { try fixture.insert("(prompt) VALUES ('x')") }
        let first = try await fixture.claim(100)
        #expect(first.jobs.count == 20)
        #expect(first.hasMore)
        for job in first.jobs {
            try await fixture.record(
                .accepted(job.attempt, task: TaskID("t\(job.attempt)"), httpStatus: 200),
                at: fixture.now + .seconds(1)
            )
        }
        let early = try await fixture.claim(100, at: fixture.now + .milliseconds(10_999))
        #expect(early.jobs.isEmpty)
        #expect(early.hasMore)
        #expect(early.nextSlotAt == fixture.now + .seconds(11))
        #expect(try await fixture.claim(100, at: fixture.now + .seconds(11)).jobs.count == 5)
    }

    @Test func `a start knows of the refusals for too many requests, for as long as they slow it down`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let job = try await fixture.claimOne()
        let refusal = Failure(.rateLimited, "too many", httpStatus: 429)
        try await fixture.record(.rejected(job.attempt, refusal, then: .retry(at: fixture.now, counted: false)))
        func known(after seconds: Int) async throws -> [Instant] {
            let start = fixture.now + .seconds(seconds)
            return try await fixture.ledger.recover(now: start, rate: fixture.request(1).rate).refusedAt
        }
        #expect(try await known(after: 5) == [fixture.now])
        // A window that was halved to 10 of 20 has grown again after ten more.
        #expect(try await known(after: 219) == [fixture.now])
        #expect(try await known(after: 221).isEmpty)
    }

    @Test func `how long the provider wants no requests is known after a restart`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let job = try await fixture.claimOne()
        var refusal = Failure(.rateLimited, "too many", httpStatus: 429)
        refusal.retryAfter = .seconds(400)
        try await fixture.record(.rejected(job.attempt, refusal, then: .retry(at: fixture.now, counted: false)))
        func known(after seconds: Int) async throws -> Instant? {
            let start = fixture.now + .seconds(seconds)
            return try await fixture.ledger.recover(now: start, rate: fixture.request(1).rate).shutUntil
        }
        #expect(try await known(after: 5) == fixture.now + .seconds(400))
        #expect(try await known(after: 400) == nil)
    }

    @Test func `no more tasks run than are allowed`() async throws {
        let fixture = try LedgerFixture()
        for _ in 0..<5 { try fixture.insert("(prompt) VALUES ('x')") }
        #expect(try await fixture.claim(fixture.request(5, running: 3)).jobs.count == 3)
        #expect(try await fixture.claim(fixture.request(5, running: 3)).jobs.isEmpty)
    }

    /// A cancelled job's task still runs at the provider; nobody knows whether a lost request's does.
    @Test func `a cancelled job's task counts among all, not in its queue, and a lost request's in neither`()
        async throws
    {
        let fixture = try LedgerFixture()
        for _ in 0..<5 { try fixture.insert("(prompt) VALUES ('x')") }
        try fixture.run("UPDATE queues SET max_running = 1")
        func claimed(running: Int = 2) async throws -> [ClaimedJob] {
            try await fixture.claim(fixture.request(5, running: running)).jobs
        }
        let first = try #require(try await claimed().first)
        #expect(try await claimed().isEmpty, "the queue's place is taken")
        try await fixture.record(.accepted(first.attempt, task: TaskID("a"), httpStatus: 200))
        #expect(try await claimed().isEmpty)
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = \(first.job)")
        #expect(try await claimed(running: 1).isEmpty, "the task runs on")
        let second = try #require(try await claimed().first)
        #expect(try await claimed().isEmpty)
        try await fixture.record(.unknown(second.attempt, Failure(.answerLost, "lost")))
        #expect(try fixture.state(second.job) == "unconfirmed")
        #expect(try await claimed().map(\.job.rawValue) == [3])
    }

    @Test func `what is refused fails at once and costs nothing`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('bad')", "(prompt) VALUES ('good')")
        let claim = try await fixture.claim(1)
        #expect(claim.jobs.map(\.job.rawValue) == [2])
        #expect(claim.refused.map(\.message) == ["prompt: too short"])
        #expect(
            try fixture.rows("SELECT state, error_code, error_message, attempt_count FROM jobs WHERE id = 1")
                == ["failed|invalid_input|prompt: too short|0"]
        )
        #expect(try fixture.rows("SELECT count(*) FROM attempts") == ["1"])
    }

    @Test func `jobs of a closed model wait and let others pass`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, model) VALUES ('x', 'a')", "(prompt, model) VALUES ('y', 'b')")
        var request = fixture.request(5)
        request.closedModels = ["a"]
        #expect(try await fixture.claim(request).jobs.map(\.model) == ["b"])
    }

    @Test func `reserved and charged never pass a budget's limit`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run(
            "INSERT INTO budgets (name, queue, period, limit_millicredits) VALUES ('ads-day', 'ads', 'day', 30000), ('all', NULL, 'total', 50000)"
        )
        for _ in 0..<4 { try fixture.insert("(prompt, queue) VALUES ('x', 'ads')", "(prompt) VALUES ('y')") }
        let claim = try await fixture.claim(8)
        #expect(claim.jobs.map(\.queue).sorted() == ["ads", "ads", "default"])
        #expect(claim.waitsForBudget)
        let holds = try await fixture.claim(8).budgetHolds
        #expect(holds == [BudgetHold(budget: "ads-day", queue: "ads"), BudgetHold(budget: "all", queue: "default")])
        #expect(try fixture.rows("SELECT remaining FROM budget_status WHERE budget = 'all'") == ["8.0"])
    }
}
