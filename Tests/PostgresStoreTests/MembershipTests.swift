import Foundation
import LedgerConformance
import Postgres
import PostgresServer
import PostgresStore
import PromptQueue
import Synchronization
import Testing

/// How daemons of one store know of each other.
@Suite struct MembershipTests {
    private let now = Instant(milliseconds: Int64(Date.now.timeIntervalSince1970 * 1_000))
    private let rate = RateLimit(count: 20, window: .seconds(10))

    private func daemon(
        _ place: PostgresPlace,
        _ change: (inout PostgresLedger.Options) -> Void = { _ in }
    ) async throws -> PostgresLedger {
        var options = PostgresLedger.Options()
        // Not by itself: what is tested happens when the test says so.
        options.renewal = .seconds(3_600)
        change(&options)
        return try await PostgresLedger(.patient(place.conninfo), options: options)
    }

    private func begin(_ ledger: PostgresLedger) async throws {
        try await ledger.begin(
            DaemonIdentity(processID: 1, version: "v", rate: rate, runningLimit: 100),
            now: now
        )
    }

    private func claimOne(_ ledger: PostgresLedger) async throws -> ClaimedJob? {
        try await ledger.claim(ClaimRequest(limit: 1, rate: rate, runningLimit: 100, now: now)) { job in
            .ready(
                PreparedInput(
                    input: ["prompt": .string(job.prompt ?? "")],
                    estimate: Estimate(credits: Credits(millicredits: 14_000), basis: .listed("test"))
                )
            )
        }.jobs.first
    }

    @Test func `a daemon that cannot be heard sends nothing before others may take over`() async throws {
        let place = try await PostgresPlace.make()
        let passed = Mutex(Duration.zero)
        let start = ContinuousClock.now
        let ledger = try await daemon(place) { options in
            options.clock = { start + passed.withLock { $0 } }
        }
        let account: any JobLedger = ledger.ledger(of: .standard)
        #expect(account.maySend)
        passed.withLock { $0 = .seconds(29) }
        #expect(account.maySend)
        try await ledger.beat(now: now)
        passed.withLock { $0 = .seconds(58) }
        #expect(account.maySend, "the lease was renewed")
        passed.withLock { $0 = .seconds(59) }
        #expect(!account.maySend)
        try await ledger.close()
    }

    @Test func `a daemon whose epoch has ended claims nothing, sends nothing, and has to join again`() async throws {
        let place = try await PostgresPlace.make()
        let ledger = try await daemon(place)
        _ = try await place.add("a fox")
        _ = try await place.connection.query("UPDATE promptd.daemons SET ended_at = promptd.now_ms(), fenced_by = 0")
        let refused = await #expect(throws: LedgerError.self) { _ = try await claimOne(ledger) }
        #expect(refused?.code == .fenced)
        #expect(ledger.loss == nil)
        let over = await #expect(throws: LedgerError.self) { try await ledger.beat(now: now) }
        #expect(over?.code == .fenced)
        #expect(ledger.loss == .fenced)
        #expect(!ledger.ledger(of: .standard).maySend)
        #expect(try await ledger.figures().daemons == DaemonFigures(members: 0, takenOver: 1))
        let next = try await daemon(place)
        #expect(try await next.figures().daemons == DaemonFigures(members: 1, takenOver: 1))
        try await next.close()
        try await ledger.close()
    }

    @Test func `what a producer commits is heard of, and what a daemon commits is not`() async throws {
        let place = try await PostgresPlace.make()
        let ledger = try await daemon(place)
        try await begin(ledger)
        var news = try #require(ledger.news()).makeAsyncIterator()
        guard case .changed = await news.next() else {
            Issue.record("listening begins with a look at everything")
            return
        }
        _ = try await place.add("a fox")
        guard case .changed = await news.next() else {
            Issue.record("a new job is told")
            return
        }
        // Were the claim told, that would come before the hint.
        let job = try #require(try await claimOne(ledger))
        _ = try await ledger.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200), now: now)
        try await ledger.tell(try #require(ledger.memberNumber), of: job.attempt)
        guard case .hinted(let target) = await news.next() else {
            Issue.record("a hint is told")
            return
        }
        #expect(target.attempt == job.attempt)
        try await ledger.close()
    }

    @Test func `a callback to any daemon is told to the one that asks`() async throws {
        let place = try await PostgresPlace.make()
        let (asks, other) = (try await daemon(place), try await daemon(place))
        try await begin(asks)
        _ = try await place.add("a fox")
        let job = try #require(try await claimOne(asks))
        let target = try #require(try await other.hintTarget(token: job.token))
        #expect(target.keeper == asks.memberNumber)
        #expect(try await asks.hintTarget(token: job.token)?.keeper == nil, "it is its own")
        try await other.noteHint(job.attempt, task: TaskID("task-7"))
        var news = try #require(asks.news()).makeAsyncIterator()
        // Not before it listens.
        _ = await news.next()
        try await other.tell(try #require(target.keeper), of: target.attempt)
        var found: HintTarget?
        while found == nil { if case .hinted(let target) = await news.next() { found = target } }
        let told = try #require(found)
        #expect(told.attempt == job.attempt)
        #expect(told.candidate(named: told.hinted)?.task == TaskID("task-7"))
        try await asks.close()
        try await other.close()
    }

    @Test func `how many share the store is told`() async throws {
        let place = try await PostgresPlace.make()
        let other = try await daemon(place)
        let ledger = try await daemon(place)
        try await begin(ledger)
        var news = try #require(ledger.news()).makeAsyncIterator()
        var members: Int?
        while members == nil { if case .members(let count) = await news.next() { members = count } }
        #expect(members == 2)
        try await ledger.close()
        try await other.close()
    }

    @Test func `a process that comes again takes over at once what the one before it has left`() async throws {
        let place = try await PostgresPlace.make()
        let mark = place.mark
        let killed = try await daemon(place)
        _ = try await killed.checkAge(marks: [mark], now: now)
        _ = try await place.add("a fox")
        let job = try #require(try await claimOne(killed))
        let stranger = try await daemon(place)
        #expect(try await stranger.recover(now: now, rate: rate).lost == [], "it may be alive")
        let next = try await daemon(place)
        #expect(try await next.checkAge(marks: [mark], now: now).copy == nil)
        #expect(try await next.recover(now: now, rate: rate).lost == [job.job])
        for ledger in [killed, stranger, next] { try await ledger.close() }
    }

    @Test func `a server that forgot a claim is held before anything is claimed there`() async throws {
        let place = try await PostgresPlace.make()
        let ledger = try await daemon(place)
        _ = try await ledger.checkAge(marks: [place.mark], now: now)
        for _ in 1...2 { _ = try await place.add("a fox") }
        let job = try #require(try await claimOne(ledger))
        // As a standby that had not heard of it: the job waits as before, and the connection is a new one.
        try await place.forget(job.attempt)
        _ = try await place.connection.query(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'promptd' AND datname = current_database()
            """
        )
        var claimed: [ClaimedJob?] = []
        for _ in 1...3 {
            do { claimed.append(try await claimOne(ledger)) } catch let error as LedgerError where error.isTransient {}
        }
        #expect(!claimed.isEmpty, "it was asked")
        #expect(claimed.allSatisfy { $0 == nil })
        let held = try await place.connection.query("SELECT restored_at IS NOT NULL FROM promptd.store").only()
        #expect(try held[0] as Bool)
        // It is not sent again by itself.
        try await place.release()
        #expect(try await claimOne(ledger) != nil)
        try await ledger.close()
    }
}
