import JobStore
import PromptQueue
import Testing

/// That nobody starves: queues and batches take turns, and what waits for a budget holds up only what it must.
@Suite struct FairnessTests {
    private func fill(_ fixture: LedgerFixture, _ count: Int, _ columns: String, _ values: String) throws {
        try fixture.run(
            """
            INSERT INTO jobs (prompt, \(columns))
            WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < \(count))
            SELECT 'x', \(values) FROM n
            """
        )
    }

    private func batches(_ claim: Claim, _ fixture: LedgerFixture) throws -> [String] {
        try claim.jobs.map { try fixture.rows("SELECT coalesce(batch, queue) FROM jobs WHERE id = \($0.job)")[0] }
    }

    /// Lets what was claimed end, so that its places and slots are free again.
    private func finish(_ claim: Claim, _ fixture: LedgerFixture, at instant: Instant) async throws {
        for job in claim.jobs {
            try await fixture.record(
                .accepted(job.attempt, task: TaskID("t\(job.attempt)"), httpStatus: 200),
                at: instant
            )
            let failure = Failure(.taskFailed, "x")
            try await fixture.record(.taskFailed(job.attempt, failure, charged: .zero, then: .fail), at: instant)
        }
    }

    @Test func `a small batch does not wait for a large one of its queue`() async throws {
        let fixture = try LedgerFixture()
        try fill(fixture, 2_000, "batch", "'large'")
        var instant = fixture.now
        for _ in 0..<3 {
            let claim = try await fixture.claim(20, at: instant)
            #expect(try batches(claim, fixture) == Array(repeating: "large", count: 20))
            try await finish(claim, fixture, at: instant)
            instant = instant + .seconds(20)
        }
        // It comes later and begins where the large one stands, neither behind it nor with what it did not use before.
        try fill(fixture, 5, "batch", "'small'")
        let taken = try batches(try await fixture.claim(12, at: instant), fixture)
        #expect(taken.count(where: { $0 == "small" }) == 5)
        #expect(taken.prefix(4).count(where: { $0 == "small" }) >= 1)
        #expect(taken.prefix(8).count(where: { $0 == "large" }) >= 3)
    }

    @Test func `jobs without a batch count as one batch`() async throws {
        let fixture = try LedgerFixture()
        try fill(fixture, 50, "queue", "'default'")
        try fill(fixture, 50, "batch", "'b'")
        let taken = try batches(try await fixture.claim(20), fixture)
        #expect(taken.count(where: { $0 == "b" }) == 10)
    }

    @Test func `queues take turns, whatever they hold`() async throws {
        let fixture = try LedgerFixture()
        try fill(fixture, 500, "queue", "'large'")
        try fill(fixture, 4, "queue", "'small'")
        try fill(fixture, 4, "queue", "'other'")
        let taken = try batches(try await fixture.claim(12), fixture)
        #expect(taken.count(where: { $0 == "small" }) == 4)
        #expect(taken.count(where: { $0 == "large" }) == 4)
    }

    @Test func `turns go on from claim to claim`() async throws {
        let fixture = try LedgerFixture()
        try fill(fixture, 10, "queue", "'a'")
        try fill(fixture, 10, "queue", "'b'")
        var taken: [String] = []
        for _ in 0..<6 { taken += try batches(try await fixture.claim(1), fixture) }
        #expect(taken == ["a", "b", "a", "b", "a", "b"])
    }

    @Test func `a round of queues ends where it began, also if that queue has nothing left`() async throws {
        let fixture = try LedgerFixture()
        try fill(fixture, 1, "queue", "'b'")
        #expect(try await fixture.claim(1).jobs.count == 1)
        try fill(fixture, 3, "queue", "'a'")
        try fill(fixture, 3, "queue", "'c'")
        let claim = try await fixture.claim(10)
        #expect(claim.jobs.count == 6)
        #expect(claim.setAside.isEmpty)
    }

    @Test func `a higher priority goes first, and does not spoil the turns of the others`() async throws {
        let fixture = try LedgerFixture()
        try fill(fixture, 300, "batch", "'large'")
        try fill(fixture, 1, "batch, priority", "'large', 9")
        #expect(try await fixture.claim(1).jobs.map(\.job.rawValue) == [301])
        try fill(fixture, 2, "batch", "'small'")
        #expect(try batches(try await fixture.claim(4), fixture).count(where: { $0 == "small" }) == 2)
    }

    @Test func `what becomes due takes its turn then, and what is moved takes it where it now is`() async throws {
        let fixture = try LedgerFixture()
        let later = fixture.now + .seconds(60)
        try fill(fixture, 100, "batch", "'large'")
        try fixture.insert("(prompt, batch, run_at) VALUES ('x', 'later', \(later.milliseconds))")
        #expect(try fixture.rows("SELECT turn IS NULL FROM jobs WHERE batch = 'later'") == ["1"])
        #expect(try batches(try await fixture.claim(2, at: later), fixture).contains("later"))
        try fixture.run("UPDATE jobs SET queue = 'fast', priority = 3 WHERE id = 90")
        #expect(try await fixture.claim(1, at: later).jobs.map(\.queue) == ["fast"])
        try fixture.run("UPDATE jobs SET run_at = \(later.milliseconds * 2) WHERE state = 'queued'")
        #expect(try await fixture.claim(1, at: later).jobs.isEmpty)
        try fixture.run("UPDATE jobs SET run_at = 0 WHERE id = 80")
        #expect(try await fixture.claim(5, at: later).jobs.map(\.job.rawValue) == [80])
    }

    @Test func `what becomes due while nothing is claimed shows what holds it`() throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, run_at) VALUES ('x', 1700000000000)")
        #expect(try fixture.rows("SELECT turn IS NULL FROM jobs") == ["1"])
        try fixture.run("INSERT INTO gates (name, closed_at) VALUES ('credits', 1)")
        #expect(try fixture.rows("SELECT blocked_by FROM queue_status") == ["credits"])
        try fixture.run("UPDATE jobs SET run_at = 9900000000000")
        #expect(try fixture.rows("SELECT blocked_by FROM queue_status") == [""])
    }

    @Test func `a job that comes back keeps its place, also if it has to wait`() async throws {
        let fixture = try LedgerFixture()
        try fill(fixture, 5, "batch", "'b'")
        let first = try await fixture.claimOne()
        let failure = Failure(.rateLimited, "x")
        try await fixture.record(.rejected(first.attempt, failure, then: .retry(at: fixture.now, counted: false)))
        #expect(try await fixture.claimOne().job == first.job)
        let second = try await fixture.claimOne()
        let soon = fixture.now + .seconds(5)
        try await fixture.record(.rejected(second.attempt, failure, then: .retry(at: soon, counted: true)))
        #expect(try await fixture.claimOne().job.rawValue == 3)
        #expect(try await fixture.claim(5, at: soon).jobs.map(\.job.rawValue) == [2, 4, 5], "its turn was kept")
    }

    @Test func `batches that are done are forgotten at the next start`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, batch) VALUES ('x', 'old')")
        try fill(fixture, 3, "batch", "'large'")
        _ = try await fixture.claim(3)
        let identity = DaemonIdentity(
            processID: 1,
            version: "1",
            rate: RateLimit(count: 20, window: .seconds(10)),
            runningLimit: 1
        )
        try await fixture.ledger.begin(identity, now: fixture.now)
        #expect(try fixture.rows("SELECT batch FROM turns") == ["large"])
    }

    // MARK: - Budgets

    @Test func `a job that does not fit a budget waits, and cheaper ones and other queues go on`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run(
            "INSERT INTO budgets (name, queue, period, limit_millicredits) VALUES ('b', 'ads', 'total', 50000)"
        )
        try fixture.insert(
            "(prompt, queue) VALUES ('dear', 'ads')",
            "(prompt, queue) VALUES ('x', 'ads')",
            "(prompt) VALUES ('y')"
        )
        let claim = try await fixture.claim(5)
        #expect(Set(claim.jobs.map(\.job.rawValue)) == [2, 3])
        #expect(claim.waitsForBudget)
        #expect(claim.budgetHolds == [], "something of the queue was taken")
        #expect(claim.hasMore, "to find out what holds the rest")
        let next = try await fixture.claim(5)
        #expect(next.jobs.isEmpty)
        #expect(next.budgetHolds == [BudgetHold(budget: "b", queue: "ads")])
        #expect(!next.hasMore)
        try fixture.run("UPDATE budgets SET limit_millicredits = 114000")
        #expect(try await fixture.claim(5).jobs.map(\.job.rawValue) == [1], "its place in the order was kept")
    }

    @Test func `of what does not fit, a bounded number is skipped`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run(
            "INSERT INTO budgets (name, queue, period, limit_millicredits) VALUES ('b', NULL, 'total', 50000)"
        )
        for _ in 0..<99 { try fixture.insert("(prompt) VALUES ('dear')") }
        try fixture.insert("(prompt) VALUES ('x')")
        #expect(try await fixture.claim(5).jobs.map(\.job.rawValue) == [100])
        for _ in 0..<2 { try fixture.insert("(prompt) VALUES ('dear')") }
        try fixture.insert("(prompt) VALUES ('x')", "(prompt, model) VALUES ('x', 'other')")
        #expect(try await fixture.claim(5).jobs.map(\.model) == ["other"], "another model has its own hundred")
    }

    @Test func `a budget for a label, a model or a batch takes what it is for, and holds nothing else`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run(
            """
            INSERT INTO budgets (name, label, batch, model, period, limit_millicredits) VALUES
                ('client', 'client=acme', NULL, NULL, 'month', 30000), ('shoot', NULL, 'shoot', NULL, 'total', 14000),
                ('both', 'client=acme', 'shoot', NULL, 'total', 0), ('model', NULL, NULL, 'other', 'day', 0)
            """
        )
        let acme = #"'{"client":"acme"}'"#
        for _ in 0..<120 { try fixture.insert("(prompt, labels) VALUES ('x', \(acme))") }
        try fixture.insert(
            "(prompt, batch) VALUES ('x', 'shoot')",
            "(prompt, batch) VALUES ('x', 'shoot')",
            "(prompt, batch, labels) VALUES ('x', 'shoot', \(acme))",
            "(prompt, model) VALUES ('x', 'other')",
            #"(prompt, labels) VALUES ('x', '{"client":"ACME"}')"#,
            #"(prompt, labels) VALUES ('x', '{"client":["acme"]}')"#
        )
        var taken: Set<Int64> = []
        for _ in 0..<4 { taken.formUnion(try await fixture.claim(8).jobs.map(\.job.rawValue)) }
        #expect(taken == [1, 2, 121, 125, 126])
        let sums = try fixture.rows(
            "SELECT budget || ' ' || reserved || ' ' || remaining FROM budget_status ORDER BY 1"
        )
        #expect(sums == ["both 0.0 0.0", "client 28.0 2.0", "model 0.0 0.0", "shoot 14.0 0.0"])
    }

    @Test func `what was spent before a budget was made counts, and labels that change later do not move it`()
        async throws
    {
        let fixture = try LedgerFixture()
        try fixture.insert(#"(prompt, labels) VALUES ('x', '{"client":"acme"}')"#)
        let job = try await fixture.runOne()
        try await fixture.record(
            .taskFailed(job.attempt, Failure(.taskFailed, "x"), charged: Credits(millicredits: 12_000), then: .fail)
        )
        let sum = "SELECT spent FROM budget_status"
        try fixture.run(
            "INSERT INTO budgets (name, label, period, limit_millicredits) VALUES ('b', 'client=acme', 'total', 50000)"
        )
        #expect(try fixture.rows(sum) == ["12.0"])
        try fixture.run(#"UPDATE jobs SET state = 'queued', labels = '{"client":"b"}'"#)
        #expect(try fixture.rows(sum) == ["12.0"])
        try fixture.run("UPDATE budgets SET name = 'c'")
        #expect(try fixture.rows(sum) == ["12.0"], "another name takes it along")
        try fixture.run("UPDATE budgets SET name = 'b'")
        try fixture.run(
            "INSERT OR REPLACE INTO budgets (name, period, limit_millicredits) VALUES ('b', 'total', 50000)"
        )
        #expect(try fixture.rows("SELECT count(*) FROM budget_attempts") == ["0"])
        try fixture.run("UPDATE budgets SET label = 'client=b'")
        #expect(try fixture.rows(sum) == ["12.0"], "it is made anew, by what the labels are now")
        try fixture.run("DELETE FROM budgets")
        #expect(try fixture.rows("SELECT count(*) FROM budget_spending") == ["0"])
    }

    @Test func `in a queue with one place what does not fit a budget is skipped as well`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run(
            "INSERT INTO budgets (name, queue, period, limit_millicredits) VALUES ('b', NULL, 'total', 50000)"
        )
        try fixture.run("UPDATE queues SET max_running = 1")
        for _ in 0..<60 { try fixture.insert("(prompt) VALUES ('dear')") }
        let held = try await fixture.claim(5)
        #expect(held.jobs.isEmpty)
        #expect(!held.hasMore, "nothing to ask again for")
        #expect(held.budgetHolds == [BudgetHold(budget: "b", queue: "default")])
        try fixture.insert("(prompt) VALUES ('x')")
        #expect(try await fixture.claim(5).jobs.map(\.job.rawValue) == [61])
    }

    @Test func `a settlement above its estimate is booked, shows as over, and holds what costs anything`() async throws
    {
        let fixture = try LedgerFixture()
        try fixture.run(
            "INSERT INTO budgets (name, queue, period, limit_millicredits) VALUES ('b', NULL, 'day', 30000)"
        )
        let job = try await fixture.runOne()
        try await fixture.record(
            .taskFailed(job.attempt, Failure(.taskFailed, "x"), charged: Credits(millicredits: 34_000), then: .fail)
        )
        try fixture.insert("(prompt) VALUES ('x')")
        #expect(try await fixture.claim(1).budgetHolds == [BudgetHold(budget: "b", queue: "default")])
        let tomorrow = fixture.now + .seconds(86_400)
        #expect(try await fixture.claim(1, at: tomorrow).jobs.count == 1)
    }

    @Test func `running sums are those of the ledger, whatever happened`() async throws {
        let fixture = try LedgerFixture()
        try fill(fixture, 12, "queue", "CASE value % 2 WHEN 0 THEN 'a' ELSE 'b' END")
        let claim = try await fixture.claim(12)
        for (index, job) in claim.jobs.enumerated() {
            let instant = fixture.now + .seconds(Int64(index))
            switch index % 4 {
            case 0: try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "x")), at: instant)
            case 1:
                let then = FailureDisposition.retry(at: instant, counted: false)
                try await fixture.record(.rejected(job.attempt, Failure(.rateLimited, "x"), then: then), at: instant)
            default:
                let task = TaskID("t\(index)")
                try await fixture.record(.accepted(job.attempt, task: task, httpStatus: 200), at: instant)
                let charged = index % 4 == 2 ? nil : Credits(millicredits: 9_000)
                for _ in 0..<2 {
                    try await fixture.record(
                        .taskFailed(job.attempt, Failure(.taskFailed, "x"), charged: charged, then: .fail),
                        at: instant
                    )
                }
            }
        }
        let ledger = try fixture.rows(
            "SELECT queue, sum(reserved_millicredits), sum(coalesce(charged_millicredits, 0)) FROM attempts GROUP BY queue"
        )
        for period in ["hour", "day", "total"] {
            let sums = try fixture.rows(
                """
                SELECT queue, sum(reserved_millicredits), sum(charged_millicredits) FROM spending
                WHERE period = '\(period)' GROUP BY queue
                """
            )
            #expect(sums == ledger, "\(period)")
        }
    }
}
