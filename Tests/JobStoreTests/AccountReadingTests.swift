import GRDB
import PromptQueue
import Testing

@testable import JobStore

/// The account's spending against the ledger's.
@Suite struct AccountReadingTests {
    /// since-independent columns of `account_status`.
    private static let status = "SELECT account_spend, ledger_spend, top_ups, unexplained FROM account_status"

    /// A job at 14 credits, claimed at `seconds`.
    private func send(_ fixture: LedgerFixture, at seconds: Int64, model: String = "m") async throws -> ClaimedJob {
        try fixture.insert("(prompt, model) VALUES ('x', '\(model)')")
        let claim = try await fixture.claim(1, at: fixture.now + .seconds(seconds))
        return try #require(claim.jobs.first)
    }

    /// A job that is sent, accepted and charged.
    private func run(_ fixture: LedgerFixture, at seconds: Int64, charged: Double? = 14) async throws {
        let job = try await send(fixture, at: seconds)
        try await fixture.accept(job, at: seconds + 1)
        try await fixture.end(job, charged: charged, at: seconds + 2)
    }

    @Test func `account and ledger agree while nobody else spends`() async throws {
        let fixture = try LedgerFixture()
        try await fixture.read(1_000, at: 0)
        try await run(fixture, at: 10)
        let recorded = try await fixture.read(986, at: 20)
        #expect(try fixture.rows(Self.status) == ["14.0|14.0|0.0|0.0"])
        #expect(recorded.account?.unexplained == .zero)
    }

    @Test func `what somebody else spends is unexplained, and stays so`() async throws {
        let fixture = try LedgerFixture()
        try await fixture.read(1_000, at: 0)
        try await run(fixture, at: 10)
        let recorded = try await fixture.read(886, at: 20)
        #expect(recorded.account?.unexplained == Credits(millicredits: 100_000))
        try await run(fixture, at: 30)
        try await fixture.read(872, at: 40)
        #expect(try fixture.rows(Self.status) == ["128.0|28.0|0.0|100.0"])
    }

    @Test func `a top-up is told apart from spending`() async throws {
        let fixture = try LedgerFixture()
        try await fixture.read(100, at: 0)
        try await run(fixture, at: 10)
        try await fixture.read(1_086, at: 20)
        #expect(try fixture.rows(Self.status) == ["14.0|14.0|1000.0|0.0"])
        try await run(fixture, at: 30)
        try await fixture.read(1_052, at: 40)
        #expect(try fixture.rows(Self.status) == ["48.0|28.0|1000.0|20.0"])
    }

    @Test func `a running task counts at its estimate, and its refund or its true price later`() async throws {
        let fixture = try LedgerFixture()
        try await fixture.read(1_000, at: 0)
        let cheap = try await send(fixture, at: 10)
        let failing = try await send(fixture, at: 10)
        try await fixture.accept(cheap, at: 11)
        try await fixture.accept(failing, at: 11)
        // Estimated at 14 each, charged 10 each; one is given back.
        let open = try await fixture.read(980, at: 20)
        #expect(open.account?.uncertainty == Credits(millicredits: 28_000))
        #expect(try fixture.rows("SELECT unexplained, estimated FROM account_status") == ["-8.0|28.0"])
        try await fixture.read(990, at: 21)
        #expect(try fixture.rows("SELECT top_ups FROM account_status") == ["0.0"], "a refund is no top-up")
        try await fixture.end(cheap, charged: 10, at: 30)
        try await fixture.end(failing, charged: 0, at: 30, failing: true)
        try await fixture.read(990, at: 40)
        #expect(try fixture.rows(Self.status) == ["10.0|10.0|0.0|0.0"])
    }

    @Test func `a top-up while tasks run is put right when they have ended`() async throws {
        let fixture = try LedgerFixture()
        try await fixture.read(100, at: 0)
        let job = try await send(fixture, at: 10)
        try await fixture.accept(job, at: 11)
        try await fixture.read(1_090, at: 20)
        #expect(try fixture.rows("SELECT top_ups FROM account_status") == ["1004.0"])
        try await fixture.end(job, charged: 10, at: 30)
        try await fixture.read(1_090, at: 40)
        #expect(try fixture.rows(Self.status) == ["10.0|10.0|1000.0|0.0"])
    }

    @Test func `a lost request that was charged is unexplained until its task turns up`() async throws {
        let fixture = try LedgerFixture()
        try await fixture.read(1_000, at: 0)
        let job = try await send(fixture, at: 10)
        try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "…")), at: fixture.now + .seconds(11))
        let lost = try await fixture.read(986, at: 80)
        #expect(lost.account?.unknown == Credits(millicredits: 14_000))
        #expect(
            try fixture.rows("SELECT unexplained, reserved_for_unknown FROM account_status") == ["14.0|14.0"]
        )
        try await fixture.accept(job, at: 90)
        try await fixture.end(job, charged: 14, at: 95)
        try await fixture.read(986, at: 100)
        #expect(try fixture.rows(Self.status) == ["14.0|14.0|0.0|0.0"])
    }

    @Test func `readings with a request under way are kept and not compared`() async throws {
        let fixture = try LedgerFixture()
        try await fixture.read(1_000, at: 0)
        let job = try await send(fixture, at: 10)
        #expect(try await fixture.read(986, at: 10).account == nil)
        try await fixture.accept(job, at: 12)
        #expect(try await fixture.read(986, asked: 11, at: 13).account == nil, "it was answered after the question")
        #expect(try await fixture.read(986, at: 14, isQuiet: false).account == nil)
        #expect(try fixture.rows("SELECT in_flight FROM account_readings") == ["0", "1", "1"])
        #expect(try fixture.rows("SELECT unexplained FROM account_status") == ["0.0"])
    }

    @Test func `a reading that repeats the last one is no row, and recording one twice changes nothing`() async throws {
        let fixture = try LedgerFixture()
        for second in [0, 0, 60, 120] as [Int64] { try await fixture.read(1_000, at: second) }
        #expect(try fixture.rows("SELECT count(*) FROM account_readings") == ["1"])
        try await run(fixture, at: 130)
        for _ in 0..<2 { try await fixture.read(986, at: 140) }
        #expect(try fixture.rows("SELECT count(*) FROM account_readings") == ["2"])
        #expect(try fixture.rows("SELECT balance_at, balance FROM daemon_status") == ["2027-01-15T08:02:20Z|986.0"])
    }

    @Test func `old readings go, but the first and the last that prove something stay`() async throws {
        let fixture = try LedgerFixture()
        let month: Int64 = 31 * 86_400
        for number in 0..<4 as Range<Int64> {
            try await run(fixture, at: number * 100)
            try await fixture.read(1_000 - 14 * Double(number + 1), at: number * 100 + 50)
        }
        let job = try await send(fixture, at: month)
        try await fixture.accept(job, at: month + 1)
        try await fixture.read(930, at: month + 50)
        #expect(
            try fixture.rows("SELECT balance_millicredits FROM account_readings") == ["986000", "944000", "930000"]
        )
        #expect(try fixture.rows("SELECT unexplained FROM account_status") == ["0.0"])
    }

    @Test func `the totals are what the attempts add up to, whatever happened`() async throws {
        let fixture = try LedgerFixture()
        try await run(fixture, at: 0)
        try await run(fixture, at: 10, charged: nil)
        for adopts in [false, true] {
            let job = try await send(fixture, at: 20)
            try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "…")))
            try await fixture.record(.gaveUp(job.attempt))
            if adopts { try await fixture.accept(job, at: 30) }
        }
        let sums = """
            SELECT sum(charged_millicredits) FILTER (WHERE state <> 'unknown'),
                sum(charged_millicredits) FILTER (WHERE state = 'unknown') FROM attempts
            """
        #expect(
            try fixture.rows("SELECT charged_millicredits, presumed_millicredits FROM accounts")
                == fixture.rows(sums)
        )
    }
}
