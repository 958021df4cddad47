import GRDB
import PromptQueue
import Testing

@testable import JobStore

/// What hooks are told is kept until they were told.
@Suite struct HookTests {
    private static let all = HookRule(name: "a", events: Set(HookEvent.choices))

    private func deliveries(_ fixture: LedgerFixture) throws -> [String] {
        try fixture.rows("SELECT hook, event, job_id, subject, state FROM hook_deliveries ORDER BY id")
    }

    private func note(_ fixture: LedgerFixture, _ rules: [HookRule] = [all]) async throws -> HookNote {
        try await fixture.ledger.noteHooks(rules, now: fixture.now)
    }

    /// A job that has succeeded, of a queue and a batch.
    private func succeed(_ fixture: LedgerFixture, _ values: String = "(prompt) VALUES ('x')") async throws {
        try fixture.insert(values)
        let job = try await fixture.claimOne()
        try await fixture.record(.accepted(job.attempt, task: TaskID("t\(job.job)"), httpStatus: 200))
        try await fixture.record(.taskSucceeded(job.attempt, [.file(url: "u")], charged: nil, fetch: false))
    }

    @Test func `a hook is told of what happens from its first day on, and once of each`() async throws {
        let fixture = try LedgerFixture()
        try await succeed(fixture)
        #expect(try await note(fixture) == HookNote())
        #expect(try deliveries(fixture).isEmpty)
        try await succeed(fixture)
        try fixture.insert("(prompt) VALUES ('bad')")
        _ = try await fixture.claim(1)
        #expect(try await note(fixture).made == 2)
        #expect(try await note(fixture).made == 0)
        #expect(try deliveries(fixture) == ["a|succeeded|2||pending", "a|failed|3||pending"])
        // As if the note of how far was read were lost: nothing is told twice.
        try fixture.run("UPDATE daemon SET hooks_read = 0")
        #expect(try await note(fixture).made == 1)
        #expect(try deliveries(fixture).last == "a|succeeded|1||pending")
    }

    @Test func `a hook is told of what it asks for`() async throws {
        let fixture = try LedgerFixture()
        let rules = [
            HookRule(name: "ads", events: [.succeeded], queue: "ads"),
            HookRule(name: "spring", events: [.succeeded], batch: "spring"),
            HookRule(name: "bad", events: [.failed]),
        ]
        _ = try await note(fixture, rules)
        try await succeed(fixture, "(prompt, queue) VALUES ('x', 'ads')")
        try await succeed(fixture, "(prompt, batch) VALUES ('x', 'spring')")
        try await succeed(fixture)
        #expect(try await note(fixture, rules).made == 2)
        #expect(try deliveries(fixture) == ["ads|succeeded|1||pending", "spring|succeeded|2||pending"])
    }

    @Test func `a batch is done when its last job ends, and again when that was tried again`() async throws {
        let fixture = try LedgerFixture()
        let rule = HookRule(name: "a", events: [.batchDone])
        _ = try await note(fixture, [rule])
        try fixture.insert("(prompt, batch) VALUES ('x', 'b'), ('y', 'b')")
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = 1")
        #expect(try await note(fixture, [rule]).made == 0)
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = 2")
        #expect(try await note(fixture, [rule]).made == 1)
        try fixture.run("UPDATE jobs SET state = 'queued' WHERE id = 1")
        #expect(try await note(fixture, [rule]).made == 0)
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = 1")
        #expect(try await note(fixture, [rule]).made == 1)
        #expect(try deliveries(fixture) == ["a|batch.done||b|pending", "a|batch.done||b|pending"])
        let delivery = try #require(try await fixture.ledger.dueDeliveries(to: "a", now: fixture.now, limit: 1).first)
        let told = try await fixture.ledger.subject(of: delivery, now: fixture.now)
        #expect(told["batch"] == "b" && told["jobs"] == 2 && told["cancelled"] == 2 && told["charged_credits"] == 0)
    }

    @Test func `a gate that closes is told once, a budget by its name, and what is ordinary not at all`() async throws {
        let fixture = try LedgerFixture()
        func close(_ names: String...) async throws {
            let notes = names.map { GateNote(name: $0, closedAt: fixture.now, reopensAt: nil, message: "m") }
            try await fixture.record(.gates(notes))
        }
        try await close("key")
        _ = try await note(fixture)
        try await close("key", "credits", "rate", "budget:ads")
        try await close("key", "credits", "budget:ads")
        #expect(try await note(fixture).made == 2)
        try await close()
        try await close("credits")
        #expect(try await note(fixture).made == 1)
        #expect(
            try deliveries(fixture).sorted() == [
                "a|budget.reached||ads|pending", "a|gate.closed||credits|pending", "a|gate.closed||credits|pending",
            ]
        )
        try await fixture.ledger.forgetHooks()
        try await close()
        try await close("credits")
        #expect(try fixture.rows("SELECT count(*) FROM gate_closings") == ["0"])
    }

    @Test func `of a job the earlier is told first, and a failure holds what comes after it`() async throws {
        let fixture = try LedgerFixture()
        _ = try await note(fixture)
        try fixture.insert("(prompt) VALUES ('bad')")
        _ = try await fixture.claim(1)
        try fixture.run("UPDATE jobs SET state = 'queued' WHERE state = 'failed'")
        _ = try await fixture.claim(1)
        try await succeed(fixture)
        #expect(try await note(fixture).made == 3)
        func due(_ now: Instant) async throws -> [Int64] {
            try await fixture.ledger.dueDeliveries(to: "a", now: now, limit: 9).map(\.id.rawValue)
        }
        #expect(try await due(fixture.now) == [1, 3])
        let later = fixture.now + .seconds(60)
        try await fixture.ledger.deliveryEnded(HookDeliveryID(1), .failed("no"), next: later, now: fixture.now)
        #expect(try await due(fixture.now) == [3])
        #expect(try await due(later) == [3, 1])
        try await fixture.ledger.deliveryEnded(HookDeliveryID(1), .failed("no"), next: nil, now: later)
        #expect(try await due(later) == [2, 3])
        try await fixture.ledger.deliveryEnded(HookDeliveryID(2), .refused("410"), next: later, now: later)
        try await fixture.ledger.deliveryEnded(HookDeliveryID(3), .delivered, next: later, now: later)
        #expect(
            try fixture.rows("SELECT state, attempts, last_error FROM hook_deliveries") == [
                "dead|2|no", "dead|1|410", "delivered|1|",
            ]
        )
        let file = try QueueFile(path: fixture.path)
        #expect(try file.retryHooks(nil, now: later) == 2)
        #expect(try await due(later) == [1])
        let test = try file.testHook("a", now: later)
        #expect(try await due(later) == [1, test.rawValue])
        try file.close()
        #expect(
            try await fixture.ledger.removeDeliveries(
                delivered: later + .seconds(1),
                dead: .init(milliseconds: 0),
                limit: 9
            )
                == 1
        )
    }

    @Test func `what is told of a job is what show says, and its number when it is gone`() async throws {
        let fixture = try LedgerFixture()
        _ = try await note(fixture)
        try await succeed(fixture)
        _ = try await note(fixture)
        let delivery = try #require(try await fixture.ledger.dueDeliveries(to: "a", now: fixture.now, limit: 1).first)
        let told = try await fixture.ledger.subject(of: delivery, now: fixture.now)
        #expect(told["id"] == 1 && told["state"] == "succeeded" && told["attempts"]?.arrayValue?.count == 1)
        try fixture.run("DELETE FROM jobs")
        #expect(try await fixture.ledger.subject(of: delivery, now: fixture.now) == ["id": 1, "state": .null])
    }

    @Test func `a budget that is nearly used is told of once in each of its periods`() async throws {
        let fixture = try LedgerFixture()
        let rules = [HookRule(name: "a", events: [.budgetWarning])]
        _ = try await note(fixture, rules)
        try fixture.run(
            "INSERT INTO budgets (name, period, limit_millicredits) VALUES ('all', 'total', 100000), ('day', 'day', 1000000)"
        )
        try await succeed(fixture)
        #expect(try await note(fixture, rules).made == 0)
        let spent = try #require(Int(try fixture.rows("SELECT max(charged_millicredits) FROM budget_sums")[0]))
        try fixture.run("UPDATE budgets SET limit_millicredits = \(spent * 2 * 5 / 4) WHERE name = 'all'")
        try await succeed(fixture)
        #expect(try await note(fixture, rules).made == 1)
        try fixture.insert("(prompt) VALUES ('one more')")
        #expect(try await note(fixture, rules).made == 0)
        #expect(try fixture.rows("SELECT event, subject FROM hook_deliveries") == ["budget.warning|all"])
        // As in another period.
        try fixture.run("UPDATE budget_warnings SET starts_at = starts_at - 1")
        try fixture.insert("(prompt) VALUES ('one more')")
        #expect(try await note(fixture, rules).made == 1)
        let delivery = try #require(try await fixture.ledger.dueDeliveries(to: "a", now: fixture.now, limit: 5).last)
        let object = try await fixture.ledger.subject(of: delivery, now: fixture.now)
        #expect(object["budget"] == "all")
        #expect(object["warned_at"] != nil && object["reached_at"] == nil)
        #expect(object["limit_credits"] != nil)
    }
}
