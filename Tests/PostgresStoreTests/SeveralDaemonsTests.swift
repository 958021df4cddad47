import Foundation
import Postgres
import PostgresServer
import PostgresStore
import PromptQueue
import Testing

/// Daemons of one store, each with its own connections, side by side.
@Suite struct SeveralDaemonsTests {
    private static let price = Credits(millicredits: 14_000)
    private let rate = RateLimit(count: 5, window: .milliseconds(200))

    private func daemon(_ place: PostgresPlace) async throws -> PostgresLedger {
        try await .patient(place.conninfo)
    }

    private func request(_ limit: Int, running: Int = 100) -> ClaimRequest {
        let now = Instant(milliseconds: Int64(Date.now.timeIntervalSince1970 * 1_000))
        return ClaimRequest(limit: limit, rate: rate, runningLimit: running, now: now)
    }

    private func claim(_ ledger: PostgresLedger, _ limit: Int) async throws -> [ClaimedJob] {
        try await ledger.claim(request(limit)) { job in
            .ready(
                PreparedInput(
                    input: ["prompt": .string(job.prompt ?? "")],
                    estimate: Estimate(credits: Self.price, basis: .listed("test"))
                )
            )
        }.jobs
    }

    private func record(_ ledger: PostgresLedger, _ change: LedgerChange) async throws -> CommitResult {
        try await ledger.record(change, now: Instant(milliseconds: Int64(Date.now.timeIntervalSince1970 * 1_000)))
    }

    private func add(_ count: Int, to place: PostgresPlace) async throws {
        _ = try await place.connection.query(
            "INSERT INTO promptd.jobs (prompt) SELECT 'p' || n FROM generate_series(1, $1) AS n",
            [.int(Int64(count))]
        )
    }

    private func number(_ place: PostgresPlace, _ sql: SQL) async throws -> Int64 {
        try await place.connection.query(sql).only()[0]
    }

    @Test func `a lack of credits that one has found holds the others, and that one asks`() async throws {
        let place = try await PostgresPlace.make()
        try await add(4, to: place)
        let (finder, other) = (try await daemon(place), try await daemon(place))
        let now = request(1).now
        func found(_ at: Instant) -> LedgerChange {
            .gates([GateNote(name: "credits", closedAt: at, reopensAt: nil, message: "none left")])
        }
        _ = try await record(finder, found(now))
        #expect(try await claim(other, 1).isEmpty)
        #expect(try await claim(finder, 1).count == 1)
        // Both have found it: the first one asks.
        _ = try await record(other, found(now + .seconds(60)))
        #expect(try await claim(other, 1).isEmpty)
        #expect(try await claim(finder, 1).count == 1)
        _ = try await record(finder, .gates([]))
        #expect(try await claim(other, 1).count == 1)
        try await finder.close()
        try await other.close()
    }

    @Test func `all together keep the window and a budget, and take no job twice`() async throws {
        let place = try await PostgresPlace.make()
        try await add(60, to: place)
        try await place.setBudget("all", limit: Credits(millicredits: 14_000 * 40))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...4 {
                let ledger = try await daemon(place)
                group.addTask {
                    while true {
                        let jobs = try await claim(ledger, 3)
                        if jobs.isEmpty {
                            let sent = try await self.number(place, "SELECT count(*) FROM promptd.attempts")
                            if sent >= 40 { break }
                            // Until a slot is free, which the server alone knows.
                            _ = try await place.connection.query("SELECT pg_sleep(0.02)")
                        }
                        for job in jobs {
                            let task = TaskID("task-\(number)-\(job.attempt)")
                            _ = try await record(ledger, .accepted(job.attempt, task: task, httpStatus: 200))
                            _ = try await record(
                                ledger,
                                .taskSucceeded(
                                    job.attempt,
                                    [.file(url: "https://x/1")],
                                    charged: Self.price,
                                    fetch: false
                                )
                            )
                        }
                    }
                    try await ledger.close()
                }
            }
            try await group.waitForAll()
        }
        #expect(try await number(place, "SELECT count(*) FROM promptd.attempts") == 40, "what the budget has room for")
        #expect(try await number(place, "SELECT count(DISTINCT job_id) FROM promptd.attempts") == 40)
        #expect(try await number(place, "SELECT sum(charged_millicredits) FROM promptd.jobs") == 40 * 14_000)
        // A request takes its slot when it is claimed, and gives it back a window after its answer.
        let most = try await number(
            place,
            """
            SELECT max((SELECT count(*) FROM promptd.attempts AS o
                WHERE o.id <= a.id AND (o.answered_at IS NULL OR o.answered_at > a.sent_at - 200)))
            FROM promptd.attempts AS a
            """
        )
        #expect(most <= 5)
    }

    @Test func `what a dead daemon had is taken over once, and what it still knows is taken from it`() async throws {
        let place = try await PostgresPlace.make()
        try await add(3, to: place)
        let (first, second) = (try await daemon(place), try await daemon(place))
        let jobs = try await claim(first, 2)
        let (running, sending) = (jobs[0], jobs[1])
        _ = try await record(first, .accepted(running.attempt, task: TaskID("a"), httpStatus: 200))
        #expect(try await second.recover(now: request(1).now, rate: rate).tasks.isEmpty, "it lives")
        // It is frozen for longer than its lease, and what was on its way has arrived.
        _ = try await place.connection.query(
            "UPDATE promptd.daemons SET lease_until = 0 WHERE epoch = (SELECT min(epoch) FROM promptd.daemons)"
        )
        let taken = try await second.takeResumed(now: request(1).now)
        #expect(taken.lost == [sending.job])
        #expect(taken.tasks.map(\.attempt) == [running.attempt])
        #expect(taken.unknown.map(\.attempt) == [sending.attempt])
        let again = try await second.takeResumed(now: request(1).now)
        #expect(again.lost.isEmpty && again.tasks.isEmpty && again.unknown.isEmpty)
        // It thaws: it may claim nothing, and renew nothing; but what the provider answered is true.
        await #expect(throws: LedgerError.self) { try await claim(first, 1) }
        await #expect(throws: LedgerError.self) { try await first.beat(now: request(1).now) }
        let late = try await record(first, .accepted(sending.attempt, task: TaskID("b"), httpStatus: 200))
        #expect(late.job?.state == .running)
        #expect(late.refusal != nil, "another one asks about it")
        let told = try await second.takeResumed(now: request(1).now)
        #expect(told.tasks.map(\.attempt) == [sending.attempt])
        #expect(try await number(place, "SELECT count(*) FROM promptd.attempts") == 2, "nothing was sent again")
        for ledger in [first, second] { try await ledger.close() }
    }

    @Test func `a daemon that stops hands over at once`() async throws {
        let place = try await PostgresPlace.make()
        try await add(1, to: place)
        let (first, second) = (try await daemon(place), try await daemon(place))
        let job = try #require(try await claim(first, 1).first)
        _ = try await record(first, .accepted(job.attempt, task: TaskID("a"), httpStatus: 200))
        _ = try await record(first, .taskSucceeded(job.attempt, [.file(url: "https://x/1")], charged: nil, fetch: true))
        try await first.end(now: request(1).now)
        let taken = try await second.takeResumed(now: request(1).now)
        #expect(taken.downloads.map(\.result) == [ResultID(job: job.job, ordinal: 0)])
        for ledger in [first, second] { try await ledger.close() }
    }

    @Test func `a producer's open transaction holds up neither claims nor outcomes`() async throws {
        let place = try await PostgresPlace.make()
        try await add(3, to: place)
        let ledger = try await daemon(place)
        let job = try #require(try await claim(ledger, 1).first)
        try await place.connection.transaction { producer in
            _ = try await producer.query("INSERT INTO promptd.jobs (prompt) VALUES ('another')")
            _ = try await producer.query(
                "UPDATE promptd.jobs SET priority = 9 WHERE id = $1",
                [.int(job.job.rawValue + 1)]
            )
            let next = try await claim(ledger, 2).map(\.job.rawValue)
            #expect(next == [job.job.rawValue + 2], "what is being changed is left out")
            let recorded = try await record(ledger, .accepted(job.attempt, task: TaskID("a"), httpStatus: 200))
            #expect(recorded.job?.state == .running)
        }
        try await ledger.close()
    }

    @Test func `a fact that the ledger refuses fails alone`() async throws {
        let place = try await PostgresPlace.make()
        try await add(4, to: place)
        let ledger = try await daemon(place)
        let jobs = try await claim(ledger, 4)
        _ = try await record(ledger, .accepted(jobs[0].attempt, task: TaskID("same"), httpStatus: 200))
        // In one pipeline, the task of another request among them.
        let states = try await withThrowingTaskGroup(of: String.self) { group in
            for (place, job) in jobs.dropFirst().enumerated() {
                group.addTask {
                    do {
                        let task = place == 1 ? "same" : "task-\(place)"
                        return try await record(ledger, .accepted(job.attempt, task: TaskID(task), httpStatus: 200))
                            .job?.state.rawValue ?? "?"
                    } catch let error as LedgerError {
                        return error.code.rawValue
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(states.sorted() == ["constraint", "running", "running"])
        try await ledger.close()
    }
}
