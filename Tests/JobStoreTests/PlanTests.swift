import GRDB
import PromptQueue
import Synchronization
import Testing

@testable import JobStore

/// That what runs in a loop is answered from indexes, never by reading a table through.
@Suite struct PlanTests {
    /// The statements that `work` runs on the writer.
    private func statements(
        of fixture: LedgerFixture,
        during work: () async throws -> Void
    ) async throws -> [String] {
        let found = SQLCollector()
        try await fixture.ledger.pool.writeWithoutTransaction { db in
            db.trace { event in
                if case .statement(let statement) = event { found.add(statement.sql) }
            }
        }
        try await work()
        try await fixture.ledger.pool.writeWithoutTransaction { $0.trace() }
        return found.all
    }

    private func plan(_ sql: String, _ fixture: LedgerFixture) throws -> [String] {
        try fixture.shell.read { db in
            let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
            // The plan does not depend on the values.
            statement.setUncheckedArguments(StatementArguments(Array(repeating: DatabaseValue.null, count: 40)))
            return try Row.fetchAll(statement).map { $0["detail"] as String }
        }
    }

    @Test func `no statement of the main loop reads through a table that grows`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run(
            "INSERT INTO budgets (name, queue, period, limit_millicredits) VALUES ('b', NULL, 'day', 500000)"
        )
        for number in 0..<30 { try fixture.insert("(prompt, priority) VALUES ('x', \(number % 3))") }
        try fixture.insert("(prompt, run_at) VALUES ('x', \(fixture.now.milliseconds + 60_000))")
        var closed = fixture.request(3)
        closed.closedModels = ["other"]
        let request = closed
        let statements = try await statements(of: fixture) {
            let jobs = try await fixture.claim(20).jobs
            _ = try await fixture.claim(request)
            _ = try await fixture.claim(5)
            try await fixture.record(.accepted(jobs[0].attempt, task: TaskID("a"), httpStatus: 200))
            try await fixture.record(.accepted(jobs[1].attempt, task: TaskID("b"), httpStatus: 200))
            try await fixture.record(.unknown(jobs[2].attempt, Failure(.answerLost, "x")))
            try await fixture.record(
                .rejected(jobs[3].attempt, Failure(.rateLimited, "x"), then: .retry(at: fixture.now, counted: false))
            )
            try await fixture.record(.progressed(jobs[0].attempt, providerState: "generating"))
            try await fixture.record(
                .taskSucceeded(jobs[0].attempt, [.file(url: "u")], charged: .zero, fetch: true)
            )
            try await fixture.record(
                .taskFailed(jobs[1].attempt, Failure(.taskFailed, "x"), charged: nil, then: .fail)
            )
            let file = SavedFile(path: "p", contentType: "c", bytes: 1, sha256: "s")
            try await fixture.record(.resultSaved(ResultID(job: jobs[0].job, ordinal: 0), file))
            try await fixture.ledger.beat(now: fixture.now)
            _ = try await fixture.ledger.recover(now: fixture.now, rate: request.rate)
            _ = try await fixture.ledger.takeResumed(now: fixture.now)
            // Many at once.
            let later = fixture.now + .seconds(20)
            let more = try await fixture.claim(fixture.request(8, at: later)).jobs
            let answers = more.map { LedgerChange.accepted($0.attempt, task: TaskID("t\($0.job)"), httpStatus: 200) }
            let ends = more.enumerated().map { place, job in
                LedgerChange.taskSucceeded(job.attempt, [.file(url: "u")], charged: nil, fetch: place < 3)
            }
            for changes in [answers, ends] {
                let group = changes.map { GroupedChange(change: $0, now: later, account: .standard) }
                _ = try await fixture.ledger.pool.write { db in
                    try RecordGroup.carryOut(group, lateArrival: LateArrival.longest, db)
                }
            }
        }
        #expect(statements.count { $0.contains("json_each(?)") } >= 6)
        let looked = Set(statements).filter { sql in
            ["SELECT", "INSERT", "UPDATE", "DELETE"].contains { sql.hasPrefix($0) }
        }
        #expect(looked.count > 25)
        for sql in looked.sorted() {
            for step in try plan(sql, fixture) {
                for table in ["jobs", "attempts", "results", "a", "j", "r", "other"] {
                    // A whole partial index of what is open is as short as what it lists.
                    let scans = step == "SCAN \(table)" || step.hasPrefix("SCAN \(table) USING INDEX sqlite_autoindex")
                    #expect(!scans, "\(step) in: \(sql)")
                }
            }
        }
    }

    @Test func `claiming sorts nothing`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let statements = try await statements(of: fixture) { _ = try await fixture.claim(1) }
        for sql in Set(statements) where sql.hasPrefix("SELECT") && sql.contains("FROM jobs") {
            let steps = try plan(sql, fixture)
            #expect(!steps.contains { $0.contains("TEMP B-TREE") }, "\(steps) in: \(sql)")
        }
    }
}

private final class SQLCollector: Sendable {
    private let found = Mutex<[String]>([])
    var all: [String] { found.withLock { $0 } }
    func add(_ sql: String) { found.withLock { $0.append(sql) } }
}
