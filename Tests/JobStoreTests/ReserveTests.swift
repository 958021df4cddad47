import JobStore
import PromptQueue
import Testing

/// `credits.reserve`: nothing is claimed that would let the account's balance fall below it.
@Suite struct ReserveTests {
    private static let reserve = Credits(millicredits: 100_000)

    private func claim(_ fixture: LedgerFixture, at seconds: Int64 = 0, _ limit: Int = 20) async throws -> Claim {
        var request = fixture.request(limit, at: fixture.now + .seconds(seconds))
        request.creditReserve = Self.reserve
        return try await fixture.claim(request)
    }

    @Test func `as many jobs are claimed as the balance covers above the reserve`() async throws {
        let fixture = try LedgerFixture()
        for _ in 0..<5 { try fixture.insert("(prompt) VALUES ('x')") }
        try await fixture.read(130, at: 0)
        let claim = try await claim(fixture)
        #expect(claim.jobs.count == 2)
        #expect(
            claim.reserveHold == .short(left: Credits(millicredits: 2_000), price: Credits(millicredits: 14_000))
        )
        #expect(!claim.hasMore)
    }

    @Test func `without a reserve the provider is left to refuse`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        try await fixture.read(0, at: 0)
        let claim = try await fixture.claim(1)
        #expect(claim.jobs.count == 1)
        #expect(claim.reserveHold == nil)
    }

    @Test func `an expensive job is not overtaken by cheap ones, of other queues neither`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert(
            "(prompt, queue, priority) VALUES ('dear', 'a', 9)",
            "(prompt, queue) VALUES ('x', 'a')",
            "(prompt, queue) VALUES ('x', 'b')"
        )
        try await fixture.read(150, at: 0)
        #expect(try await claim(fixture).jobs.isEmpty)
    }

    @Test func `what a balance cannot hold yet is taken from it`() async throws {
        let fixture = try LedgerFixture()
        for _ in 0..<6 { try fixture.insert("(prompt) VALUES ('x')") }
        // One is accepted before the question, one is under way, one is answered after it, one is refused.
        let jobs = try await fixture.claim(4).jobs
        try await fixture.accept(jobs[0], at: 1)
        try await fixture.read(186, asked: 2, at: 4)
        try await fixture.accept(jobs[1], at: 3)
        try await fixture.record(
            .rejected(jobs[3].attempt, Failure(.invalidInput, "…"), then: .fail),
            at: fixture.now + .seconds(5)
        )
        // 186, less 14 answered after the question, less 14 under way: 58 above the reserve.
        let claim = try await claim(fixture, at: 6)
        #expect(claim.jobs.count == 2)
        // And those two are not in it either: 30 would be left.
        try fixture.insert("(prompt) VALUES ('dear')")
        let next = try await self.claim(fixture, at: 7)
        #expect(
            next.reserveHold == .short(left: Credits(millicredits: 30_000), price: Credits(millicredits: 100_000))
        )
    }

    @Test(arguments: [false, true])
    func `a request whose answer was lost a moment before the question may yet be charged, given up or not`(
        isGivenUp: Bool
    ) async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')", "(prompt) VALUES ('x')")
        try await fixture.record(.unknown(try await fixture.claimOne().attempt, Failure(.answerLost, "…")))
        try await fixture.read(120, at: 30)
        if isGivenUp {
            try fixture.run(
                "UPDATE attempts SET finished_at = answered_at, charged_millicredits = reserved_millicredits, "
                    + "reserved_millicredits = 0"
            )
        }
        #expect(try await claim(fixture, at: 31).jobs.isEmpty)
        try await fixture.read(120, at: 61)
        #expect(try await claim(fixture, at: 62).jobs.count == 1)
    }

    @Test func `a balance that is not known, or old, or from the future, holds everything`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        #expect(try await claim(fixture).reserveHold == .balanceUnknown)
        try await fixture.read(1_000, at: 0)
        #expect(try await claim(fixture, at: 600).reserveHold == .balanceUnknown)
        #expect(try await claim(fixture, at: -61).reserveHold == .balanceUnknown)
        #expect(try await claim(fixture, at: 599).jobs.count == 1)
    }

    @Test func `the rules are in the ledger, from the start and after a reload`() async throws {
        let fixture = try LedgerFixture()
        var rules = AccountRules()
        rules.creditReserve = Self.reserve
        let identity = DaemonIdentity(
            processID: 1,
            version: "v",
            rate: RateLimit(count: 20, window: .seconds(10)),
            runningLimit: 100,
            rules: rules
        )
        try await fixture.ledger.begin(identity, now: fixture.now)
        let noted = "SELECT credit_reserve, unconfirmed_policy, unconfirmed_window_seconds FROM daemon_status"
        #expect(try fixture.rows(noted) == ["100.0|hold|1800.0"])
        rules.unconfirmedPolicy = .resubmit
        rules.unconfirmedWindow = .seconds(60)
        for _ in 0..<2 { try await fixture.record(.rules(rules)) }
        #expect(try fixture.rows(noted) == ["100.0|resubmit|60.0"])
    }
}

extension LedgerFixture {
    /// The account is asked for its balance and answers; in whole credits, and seconds from the fixture's instant.
    @discardableResult
    /// Reads the balance; `settles` as under the policy `evidence`.
    func read(
        _ credits: Double,
        asked: Int64? = nil,
        at seconds: Int64,
        isQuiet: Bool = true,
        settles: Bool = true
    ) async throws -> CommitResult {
        let reading = BalanceReading(
            balance: Credits(credits) ?? .zero,
            askedAt: now + .seconds(asked ?? seconds),
            isQuiet: isQuiet
        )
        return try await record(.balance(reading, settles: settles), at: now + .seconds(seconds))
    }

    func accept(_ job: ClaimedJob, at seconds: Int64) async throws {
        try await record(
            .accepted(job.attempt, task: TaskID("task-\(job.attempt)"), httpStatus: 200),
            at: now + .seconds(seconds)
        )
    }

    /// The task has ended, and the provider reports `charged` credits, or nothing about them.
    func end(_ job: ClaimedJob, charged: Double?, at seconds: Int64, failing: Bool = false) async throws {
        let credits = charged.flatMap { Credits($0) }
        let change: LedgerChange =
            failing
            ? .taskFailed(job.attempt, Failure(.taskFailed, "…"), charged: credits, then: .fail)
            : .taskSucceeded(job.attempt, [.file(url: "https://x")], charged: credits, fetch: false)
        try await record(change, at: now + .seconds(seconds))
    }
}
