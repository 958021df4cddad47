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

    @Test func `no more tasks run than are allowed`() async throws {
        let fixture = try LedgerFixture()
        for _ in 0..<5 { try fixture.insert("(prompt) VALUES ('x')") }
        #expect(try await fixture.claim(fixture.request(5, running: 3)).jobs.count == 3)
        #expect(try await fixture.claim(fixture.request(5, running: 3)).jobs.isEmpty)
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
        try fixture.run("INSERT INTO budgets VALUES ('ads-day', 'ads', 'day', 30000), ('all', NULL, 'total', 50000)")
        for _ in 0..<4 { try fixture.insert("(prompt, queue) VALUES ('x', 'ads')", "(prompt) VALUES ('y')") }
        let claim = try await fixture.claim(8)
        #expect(claim.jobs.map(\.queue).sorted() == ["ads", "ads", "default"])
        #expect(claim.waitsForBudget)
        let holds = try await fixture.claim(8).budgetHolds
        #expect(holds == [BudgetHold(budget: "ads-day", queue: "ads"), BudgetHold(budget: "all", queue: "default")])
        #expect(try fixture.rows("SELECT remaining FROM budget_status WHERE budget = 'all'") == ["8.0"])
    }
}
