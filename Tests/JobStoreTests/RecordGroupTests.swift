import GRDB
import PromptQueue
import Testing

@testable import JobStore

/// That many changes by the same statements leave what each by itself leaves.
@Suite struct RecordGroupTests {
    /// A ledger with jobs that are sent, and their attempts.
    private func sent(_ count: Int) async throws -> (LedgerFixture, [ClaimedJob]) {
        let fixture = try LedgerFixture()
        try fixture.run(
            "INSERT INTO budgets (name, queue, period, limit_millicredits) VALUES ('b', NULL, 'day', 5000000)"
        )
        for number in 0..<count {
            try fixture.insert("(prompt, batch) VALUES ('a ''fox'' \"\(number)\" ü', 'b\(number % 2)')")
        }
        let jobs = try await fixture.claim(20).jobs
        #expect(jobs.count == count)
        return (fixture, jobs)
    }

    private func grouped(_ changes: [LedgerChange], _ fixture: LedgerFixture) async throws -> [CommitResult] {
        let changes = changes.enumerated().map { place, change in
            GroupedChange(change: change, now: fixture.now + .seconds(place), account: .standard)
        }
        return try await fixture.ledger.pool.write { db in
            try RecordGroup.carryOut(changes, lateArrival: LateArrival.longest, db)
        }
    }

    private func apart(_ changes: [LedgerChange], _ fixture: LedgerFixture) async throws -> [CommitResult] {
        var results: [CommitResult] = []
        for (place, change) in changes.enumerated() {
            results.append(try await fixture.record(change, at: fixture.now + .seconds(place)))
        }
        return results
    }

    /// Everything that the ledger holds, without what is random or by the machine's clock.
    private func contents(_ fixture: LedgerFixture) throws -> [String] {
        let tables = try fixture.rows(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
        return try tables.filter { $0 != "daemon" }.flatMap { table in
            let columns = try fixture.rows("SELECT name FROM pragma_table_info('\(table)')")
                .filter { !["token", "sequence", "at", "run_at", "since"].contains($0) }
                .filter { table == "results" || $0 != "created_at" }
            guard !columns.isEmpty else { return [String]() }
            // Who cancels one by SQL does so by the machine's clock.
            let list = columns.map { $0 == "finished_at" ? "iif(state = 'cancelled', '', finished_at)" : "\"\($0)\"" }
                .joined(separator: ", ")
            return try fixture.rows("SELECT \(list) FROM \(table)").sorted().map { "\(table): \($0)" }
        }
    }

    private func text(_ result: CommitResult) -> String {
        let job = result.job.map { "\($0.id) \($0.state)" } ?? "none"
        let downloads = result.downloads.map { "\($0.result) \($0.output) \($0.origin) \($0.createdAt)" }
        return "\(job) \(downloads) \(result.feedsOthers) \(String(describing: result.refusal))"
    }

    /// Brings two ledgers to the same place, and makes the same changes to both: by groups, and one by one.
    private func compare(
        _ count: Int,
        prepare: (LedgerFixture, [ClaimedJob]) async throws -> Void = { _, _ in },
        _ changes: ([ClaimedJob]) -> [LedgerChange],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let (one, jobs) = try await sent(count)
        let (other, otherJobs) = try await sent(count)
        #expect(jobs.map(\.attempt) == otherJobs.map(\.attempt), sourceLocation: sourceLocation)
        try await prepare(one, jobs)
        try await prepare(other, otherJobs)
        let together = try await grouped(changes(jobs), one)
        let apart = try await apart(changes(otherJobs), other)
        #expect(together.map(text) == apart.map(text), sourceLocation: sourceLocation)
        let (found, expected) = (try contents(one), try contents(other))
        #expect(found.count > 20)
        #expect(Set(found).subtracting(expected).isEmpty, sourceLocation: sourceLocation)
        #expect(Set(expected).subtracting(found).isEmpty, sourceLocation: sourceLocation)
        #expect(found.count == expected.count, sourceLocation: sourceLocation)
    }

    private func accepted(_ job: ClaimedJob, as task: String? = nil) -> LedgerChange {
        .accepted(job.attempt, task: TaskID(task ?? "task \"\(job.job)\" é\\n"), httpStatus: 200)
    }

    @Test func `answers leave what each by itself leaves`() async throws {
        try await compare(8) { jobs in jobs.map { accepted($0) } }
    }

    @Test func `answers that come late, twice, or for jobs that were cancelled are taken as ever`() async throws {
        try await compare(
            10,
            prepare: { fixture, jobs in
                try await fixture.record(.unknown(jobs[1].attempt, Failure(.answerLost, "x")))
                try await fixture.record(accepted(jobs[2]))
                try await fixture.record(
                    .rejected(
                        jobs[3].attempt,
                        Failure(.rateLimited, "x"),
                        then: .retry(at: fixture.now, counted: false)
                    )
                )
                try await fixture.record(accepted(jobs[4]))
                try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = \(jobs[4].job)")
                try await fixture.record(.unknown(jobs[5].attempt, Failure(.answerLost, "x")))
                try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = \(jobs[5].job)")
            }
        ) { jobs in
            jobs.map { accepted($0) } + [
                accepted(jobs[0]), accepted(jobs[6]),
                .taskSucceeded(jobs[4].attempt, [.file(url: "u4")], charged: Credits(millicredits: 7), fetch: true),
                .taskSucceeded(jobs[6].attempt, [.file(url: "u6")], charged: nil, fetch: true),
            ]
        }
    }

    @Test func `ends leave what each by itself leaves, whatever is fetched and charged`() async throws {
        try await compare(
            12,
            prepare: { fixture, jobs in
                for job in jobs.dropLast() { try await fixture.record(accepted(job)) }
                try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id IN (\(jobs[1].job), \(jobs[2].job))")
                try await fixture.record(
                    .taskSucceeded(jobs[3].attempt, [.file(url: "u")], charged: .zero, fetch: true)
                )
                try fixture.run(
                    "INSERT INTO jobs (prompt, input) VALUES ('x', '{\"input_urls\": [\"result:\(jobs[5].job)/0\"]}')"
                )
            }
        ) { jobs in
            jobs.enumerated().map { place, job in
                let outputs: [TaskOutput] =
                    switch place {
                    case 4: []
                    case 6: [.file(url: "https://a/\"1\""), .file(url: "https://a/2", role: "firstFrame")]
                    case 7: [.object(json: "{}")]
                    // A text ends there, whether it is bound by itself or within JSON.
                    case 10: [.file(url: "https://a/10\u{0}0")]
                    default: [.file(url: "https://a/\(place)")]
                    }
                return .taskSucceeded(
                    job.attempt,
                    outputs,
                    charged: place % 3 == 0 ? nil : Credits(millicredits: Int64(place) * 1_000),
                    fetch: place % 2 == 0 || place == 7,
                    took: place == 8 ? nil : .seconds(place),
                    unread: place == 9 ? "[1]" : nil
                )
            }
        }
    }

    @Test(arguments: [false, true])
    func `what a claim takes of many jobs is what claims of one take`(hasNUL: Bool) async throws {
        func claimed(_ limit: Int) async throws -> [String] {
            let fixture = try LedgerFixture()
            for number in 0..<6 {
                try fixture.insert(
                    "(prompt, batch, queue) VALUES ('a \"\(number)\" ü', 'b\(number % 2)', 'q\(number % 3)')"
                )
            }
            var found: [String] = []
            for _ in stride(from: 0, to: 6, by: limit) {
                let claim = try await fixture.ledger.claim(fixture.request(limit)) { job in
                    .ready(
                        PreparedInput(
                            input: [
                                "prompt": .string(job.prompt ?? ""), "mode": .string(hasNUL ? "a\u{0}b" : "é\"\n"),
                            ],
                            estimate: Estimate(credits: Credits(millicredits: job.id.rawValue), basis: .listed("test"))
                        )
                    )
                }
                found += claim.jobs.map { job in
                    "\(job.attempt) \(job.job) \(job.queue) \(job.reserved) \(job.attemptCount) \(JSONValue.object(job.input).json) \(job.waited != nil)"
                }
            }
            #expect(found.count == 6)
            return try found + contents(fixture)
        }
        let (many, single) = (try await claimed(6), try await claimed(1))
        #expect(Set(many).subtracting(single).isEmpty)
        #expect(Set(single).subtracting(many).isEmpty)
        #expect(many.count == single.count)
    }

    @Test func `a change that is refused among many undoes only itself`() async throws {
        let (fixture, jobs) = try await sent(12)
        let outcomes = Outcomes()
        // While the writer is busy they gather.
        try await fixture.ledger.pool.write { [ledger = fixture.ledger, now = fixture.now] _ in
            for (place, job) in jobs.enumerated() {
                let task = TaskID(place == 7 ? String(repeating: "x", count: 1_001) : "task \(place)")
                ledger.record(.accepted(job.attempt, task: task, httpStatus: 200), of: .standard, now: now) { result in
                    outcomes.note(place, result)
                }
            }
        }
        let found = await outcomes.wait(for: 12)
        #expect(found.filter { !$0.value }.map(\.key) == [7])
        #expect(
            try fixture.rows("SELECT state, count(*) FROM jobs GROUP BY state ORDER BY state")
                == ["running|11", "submitting|1"]
        )
        #expect(try fixture.rows("SELECT count(*) FROM attempts WHERE state = 'accepted'") == ["11"])
    }

    @Test func `two changes of one job are not carried out out of their order`() async throws {
        let (fixture, jobs) = try await sent(3)
        try await fixture.ledger.pool.write { db in
            // The rules do not let a job have two of them.
            let triggers = try String.fetchAll(
                db,
                sql: "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'attempts'"
            )
            try db.execute(sql: "DROP INDEX attempts_one_open")
            for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(trigger)") }
            try db.execute(sql: "UPDATE attempts SET job_id = \(jobs[1].job) WHERE id = \(jobs[0].attempt)")
        }
        await #expect(throws: (any Error).self) { try await grouped(jobs.map { accepted($0) }, fixture) }
    }
}

/// What became of changes, as it is told.
private final class Outcomes: Sendable {
    private let stream: AsyncStream<(Int, Bool)>
    private let continuation: AsyncStream<(Int, Bool)>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func note(_ place: Int, _ result: Result<CommitResult, LedgerError>) {
        let isDone = if case .success = result { true } else { false }
        continuation.yield((place, isDone))
    }

    func wait(for count: Int) async -> [Int: Bool] {
        var found: [Int: Bool] = [:]
        for await (place, isDone) in stream {
            found[place] = isDone
            if found.count == count { break }
        }
        return found
    }
}
