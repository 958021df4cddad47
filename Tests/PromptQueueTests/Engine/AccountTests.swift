import Testing

@testable import PromptQueue

/// When the balance is asked for, and what it opens.
@Suite struct AccountTests {
    private static let broke = SubmissionOutcome.rejected(
        Failure(.creditsExhausted, "no credits", httpStatus: 200, apiCode: 402)
    )
    private static let capped = SubmissionOutcome.rejected(
        Failure(.keyCapReached, "the key's cap", httpStatus: 200, apiCode: 433)
    )
    private static let accepted = SubmissionOutcome.accepted(TaskID("x"), httpStatus: 200)

    /// An engine whose only job, at 14 credits, was refused; the question for the balance is on its way.
    private func refused(by outcome: SubmissionOutcome = broke) -> (fixture: EngineFixture, effects: [EngineEffect]) {
        var fixture = EngineFixture()
        _ = fixture.start()
        let effects = fixture.answerOne(outcome)
        return (fixture, effects)
    }

    @Test func `the balance is asked for at the start, and every five minutes while there is work`() {
        var fixture = EngineFixture()
        #expect(fixture.send(.started(Recovery())).asksForBalance)
        _ = fixture.read(100)
        _ = fixture.claim(1, hasMore: true)
        fixture.pass(.seconds(299))
        #expect(!fixture.send(.tick).asksForBalance)
        // A request is under way, so it waits half a minute for a moment without one.
        fixture.pass(.seconds(30))
        #expect(!fixture.send(.tick).asksForBalance)
        fixture.pass(.seconds(1))
        #expect(fixture.send(.tick).asksForBalance)
    }

    @Test func `without credits the account is asked at once, and then ever more rarely, up to once a minute`() {
        var (fixture, effects) = refused()
        #expect(effects.asksForBalance)
        var gaps: [Duration] = []
        var last = fixture.now.uptime
        _ = fixture.read(5)
        while gaps.count < 5 {
            fixture.pass(.seconds(1))
            let effects = fixture.send(.tick)
            #expect(effects.claims.isEmpty, "the balance does not cover the job")
            guard effects.asksForBalance else { continue }
            gaps.append(fixture.now.uptime - last)
            last = fixture.now.uptime
            _ = fixture.read(5)
        }
        #expect(gaps == [.seconds(15), .seconds(30), .seconds(60), .seconds(60), .seconds(60)])
    }

    @Test(arguments: [(balance: Int64(14), probes: true), (6, true), (5, false), (4, false)])
    func `a balance that covers the refused job or has risen lets one job try`(balance: Int64, probes: Bool) throws {
        var (fixture, _) = refused()
        _ = fixture.read(5)
        fixture.pass(.seconds(15))
        #expect(fixture.send(.tick).asksForBalance)
        let effects = fixture.read(balance)
        #expect(effects.claims.map(\.limit) == (probes ? [1] : []))
        guard probes else { return }
        let opened = fixture.answerOne(Self.accepted)
        #expect(opened.gates == [])
        #expect(opened.notices.contains { if case .gateOpened(.credits) = $0 { true } else { false } })
    }

    @Test func `the reserve has to be covered, too`() {
        var fixture = EngineFixture { $0.account.creditReserve = Credits(millicredits: 100_000) }
        _ = fixture.start()
        _ = fixture.answerOne(Self.broke)
        fixture.pass(.seconds(15))
        #expect(fixture.read(113).claims.isEmpty)
        fixture.pass(.seconds(15))
        _ = fixture.send(.tick)
        #expect(fixture.read(114).claims.map(\.limit) == [1])
    }

    @Test func `a top-up is noticed within a minute, whenever it comes`() throws {
        for second in stride(from: 1, through: 400, by: 37) {
            var (fixture, _) = refused()
            _ = fixture.read(5)
            let start = fixture.now.uptime
            var claims = 0
            while claims == 0 {
                fixture.pass(.seconds(1))
                var effects = fixture.send(.tick)
                let isToppedUp = fixture.now.uptime - start > .seconds(second)
                if effects.asksForBalance { effects += fixture.read(isToppedUp ? 1_000 : 5) }
                claims = effects.claims.count
                try #require(fixture.now.uptime - start <= .seconds(second + 61))
            }
            #expect(fixture.now.uptime - start > .seconds(second))
        }
    }

    @Test func `a job that is refused although the balance covers it is tried once a minute at most`() throws {
        var (fixture, _) = refused()
        _ = fixture.read(1_000)
        var probes: [Duration] = []
        let start = fixture.now.uptime
        while fixture.now.uptime - start < .seconds(600) {
            fixture.pass(.seconds(1))
            var effects = fixture.send(.tick)
            if effects.asksForBalance { effects += fixture.read(1_000) }
            guard !effects.claims.isEmpty else { continue }
            probes.append(fixture.now.uptime - start)
            if fixture.answerOne(Self.broke).asksForBalance { _ = fixture.read(1_000) }
        }
        #expect((8...14).contains(probes.count), "\(probes)")
        #expect(zip(probes, probes.dropFirst()).allSatisfy { $1 - $0 >= .seconds(20) })
    }

    @Test func `a balance that cannot be read leaves it to a request to tell, once a minute`() throws {
        var (fixture, _) = refused()
        let start = fixture.now.uptime
        _ = fixture.send(.balanceUnknown(Failure(.providerUnavailable, "…")))
        var claims = 0
        while claims == 0 {
            fixture.pass(.seconds(1))
            var effects = fixture.send(.tick)
            if effects.asksForBalance { effects += fixture.send(.balanceUnknown(Failure(.providerUnavailable, "…"))) }
            claims = effects.claims.count
            try #require(fixture.now.uptime - start <= .seconds(61))
        }
        #expect(fixture.now.uptime - start >= .seconds(60))
    }

    @Test func `of the key's own cap the balance says nothing: one job tries, ever more rarely, up to once an hour`()
        throws
    {
        var (fixture, effects) = refused(by: Self.capped)
        #expect(effects.gates == ["credits"])
        #expect(!effects.asksForBalance)
        var delays: [Duration] = []
        for _ in 0..<12 {
            let start = fixture.now.uptime
            var claims: [ClaimRequest] = []
            while claims.isEmpty {
                fixture.pass(.seconds(1))
                var effects = fixture.send(.tick)
                if effects.asksForBalance { effects += fixture.read(1_000) }
                claims = effects.claims
                try #require(fixture.now.uptime - start <= .seconds(3_601))
            }
            #expect(claims.map(\.limit) == [1])
            delays.append(fixture.now.uptime - start)
            _ = fixture.answerOne(Self.capped)
        }
        #expect(delays[0] <= .seconds(16))
        #expect(delays[11] > .seconds(2_800))
    }

    @Test func `a request that was out when the credits ended does not open the gate, its probe does`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(2, hasMore: false)
        _ = fixture.send(.submitted(jobs[0].attempt, Self.broke))
        #expect(fixture.send(.submitted(jobs[1].attempt, Self.accepted)).gates == nil)
    }

    // MARK: - The reserve

    @Test func `a claim carries the reserve, and a reload changes it`() {
        var fixture = EngineFixture { $0.account.creditReserve = Credits(millicredits: 7_000) }
        let claims = fixture.start().claims
        #expect(claims.map(\.creditReserve) == [Credits(millicredits: 7_000)])
        _ = fixture.send(.claimed(Claim()))
        var settings = fixture.engine.settings
        settings.account.creditReserve = Credits(millicredits: 9_000)
        let effects = fixture.send(.reloaded(settings))
        #expect(effects.claims.map(\.creditReserve) == [Credits(millicredits: 9_000)])
        #expect(effects.records.contains { if case .rules(settings.account) = $0 { true } else { false } })
    }

    private func held(_ reason: ReserveHold) -> Claim {
        var claim = Claim()
        claim.reserveHold = reason
        return claim
    }

    @Test func `a hold for the reserve is shown and said once, and lifted after a top-up`() throws {
        var fixture = EngineFixture { $0.account.creditReserve = Credits(millicredits: 100_000) }
        _ = fixture.start()
        let short = held(.short(left: Credits(millicredits: 3_000), price: Credits(millicredits: 14_000)))
        let first = fixture.send(.claimed(short))
        #expect(first.gates == nil, "the balance may be old")
        #expect(first.asksForBalance)
        #expect(fixture.readAndRecord(103).claims.count == 1)
        let second = fixture.send(.claimed(short))
        #expect(second.gates == ["credits"])
        #expect(second.notices.count == 1)
        let start = fixture.now.uptime
        var isLifted = false
        while !isLifted {
            fixture.pass(.seconds(1))
            let isToppedUp = fixture.now.uptime - start > .seconds(200)
            guard fixture.send(.tick).asksForBalance else { continue }
            #expect(fixture.readAndRecord(isToppedUp ? 500 : 103).claims.count == 1)
            let effects = isToppedUp ? fixture.claim(1).1 : fixture.send(.claimed(short))
            isLifted = effects.gates == []
            #expect(effects.notices.count == (isLifted ? 1 : 0))
            try #require(fixture.now.uptime - start < .seconds(262))
        }
    }

    @Test func `with a balance that is not known the account is asked first, and nobody is alarmed`() {
        var fixture = EngineFixture { $0.account.creditReserve = Credits(millicredits: 100_000) }
        _ = fixture.start()
        let effects = fixture.send(.claimed(held(.balanceUnknown)))
        #expect(effects.asksForBalance)
        #expect(effects.claims.isEmpty)
        #expect(fixture.readAndRecord(500).claims.count == 1)
        let after = fixture.claim(1).1
        #expect(after.gates == nil)
        #expect(after.notices.isEmpty)
    }

    @Test func `a balance that cannot be read holds everything, and says so`() {
        var fixture = EngineFixture { $0.account.creditReserve = Credits(millicredits: 100_000) }
        _ = fixture.start()
        _ = fixture.send(.claimed(held(.balanceUnknown)))
        let effects = fixture.send(.balanceUnknown(Failure(.providerUnavailable, "…")))
        #expect(effects.gates == ["credits"])
        #expect(effects.notices.count == 1)
    }

    @Test func `a claim that found no slot says nothing about the reserve`() {
        var fixture = EngineFixture { $0.account.creditReserve = Credits(millicredits: 100_000) }
        _ = fixture.start()
        let short = held(.short(left: .zero, price: Credits(millicredits: 14_000)))
        _ = fixture.send(.claimed(short))
        _ = fixture.readAndRecord(103)
        _ = fixture.send(.claimed(short))
        _ = fixture.send(.ledgerChanged)
        var empty = Claim()
        empty.hasMore = true
        #expect(fixture.send(.claimed(empty)).gates == nil)
    }

    // MARK: - Readings that can be compared

    @Test func `a reading with a request under way cannot be compared`() {
        var fixture = EngineFixture()
        _ = fixture.send(.started(Recovery()))
        _ = fixture.claim(1)
        #expect(fixture.read(100).reading?.isQuiet == false)
        var idle = EngineFixture()
        _ = idle.send(.started(Recovery()))
        _ = idle.send(.claimed(Claim()))
        #expect(idle.read(100).reading?.isQuiet == true)
    }

    @Test func `after something was sent, an idle moment is used for a reading, once a minute at most`() {
        var fixture = EngineFixture()
        _ = fixture.send(.started(Recovery()))
        _ = fixture.send(.claimed(Claim()))
        _ = fixture.read(100)
        fixture.pass(.seconds(100))
        #expect(!fixture.send(.tick).asksForBalance, "nothing has happened")
        _ = fixture.send(.ledgerChanged)
        #expect(fixture.answerOne(.rejected(Failure(.invalidInput, "…"))).asksForBalance)
        #expect(fixture.read(86).reading?.isQuiet == true)
        _ = fixture.send(.ledgerChanged)
        let effects = fixture.answerOne(.rejected(Failure(.invalidInput, "…")))
        #expect(!effects.asksForBalance)
        fixture.pass(.seconds(60))
        #expect(fixture.send(.tick).asksForBalance)
    }

    @Test func `without cover another job may try when the queue has changed`() {
        var (fixture, _) = refused()
        _ = fixture.read(5)
        fixture.pass(.seconds(60))
        #expect(fixture.send(.tick).claims.isEmpty)
        // The expensive job was cancelled, or a cheaper one added.
        #expect(fixture.send(.ledgerChanged).claims.map(\.limit) == [1])
        _ = fixture.answerOne(Self.broke)
        fixture.pass(.seconds(60))
        #expect(fixture.send(.tick).claims.isEmpty, "once for each change")
    }

    @Test func `a difference between account and ledger is said once`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        func notices(_ unexplained: Int64, uncertainty: Int64 = 0) -> Int {
            let reading = BalanceReading(balance: .zero, askedAt: fixture.now.instant, isQuiet: true)
            var recorded = CommitResult()
            recorded.account = AccountStanding(
                unexplained: Credits(millicredits: unexplained),
                uncertainty: Credits(millicredits: uncertainty),
                unknown: .zero,
                since: fixture.now.instant
            )
            return fixture.send(.recorded(.balance(reading), recorded)).notices.count
        }
        #expect(notices(0) == 0)
        #expect(notices(14_000, uncertainty: 14_000) == 0, "a running task may cost less than estimated")
        #expect(notices(14_000) == 1)
        #expect(notices(14_000) == 0)
        fixture.pass(.seconds(3_600))
        #expect(notices(14_000) == 0)
        #expect(notices(28_000) == 1)
    }
}

extension EngineFixture {
    /// The provider answers the question for the balance; in whole credits.
    mutating func read(_ credits: Int64) -> [EngineEffect] {
        send(.balance(Credits(millicredits: credits * 1_000)))
    }

    /// The same, and the ledger has noted it.
    mutating func readAndRecord(_ credits: Int64) -> [EngineEffect] {
        var effects = read(credits)
        for change in effects.records { effects += send(.recorded(change, CommitResult())) }
        return effects
    }
}

extension [EngineEffect] {
    var notices: [Notice] { compactMap { if case .notify(let notice) = $0 { notice } else { nil } } }
    var reading: BalanceReading? {
        records.compactMap { if case .balance(let reading, _) = $0 { reading } else { nil } }.last
    }
}
