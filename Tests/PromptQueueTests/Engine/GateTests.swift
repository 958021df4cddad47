import Testing

@testable import PromptQueue

/// What stops submissions, and what lets them go on.
@Suite struct GateTests {
    private func failure(_ code: FailureCode, _ apiCode: Int? = nil) -> SubmissionOutcome {
        .rejected(Failure(code, "…", httpStatus: 200, apiCode: apiCode))
    }

    /// Closes a gate by one answer and returns the fixture.
    private func closed(by outcome: SubmissionOutcome) -> (fixture: EngineFixture, effects: [EngineEffect]) {
        var fixture = EngineFixture()
        _ = fixture.start()
        let effects = fixture.answerOne(outcome)
        return (fixture, effects)
    }

    static let cases: [(FailureCode, String)] = [
        (.keyRefused, "key"), (.creditsExhausted, "credits"), (.providerUnavailable, "provider"),
        (.modelDisabled, "model:m"),
    ]

    @Test(arguments: cases)
    func `an answer closes its gate, which the ledger shows`(code: FailureCode, name: String) {
        #expect(closed(by: failure(code)).effects.gates == [name])
    }

    @Test func `a lost answer or a refused connection closes the provider's gate`() {
        #expect(closed(by: .unknown(Failure(.answerLost, "…"))).effects.gates == ["provider"])
        #expect(closed(by: .notSent(Failure(.notSent, "…"))).effects.gates == ["provider"])
    }

    @Test func `while the provider is down one probe at a time goes out, ever more rarely`() throws {
        var (fixture, _) = closed(by: failure(.providerMaintenance, 455))
        var delays: [Duration] = []
        for _ in 0..<12 {
            let start = fixture.now.uptime
            var claims: [ClaimRequest] = []
            while claims.isEmpty {
                fixture.pass(.milliseconds(100))
                claims = fixture.send(.tick).claims
                try #require(fixture.now.uptime - start < .seconds(400))
            }
            delays.append(fixture.now.uptime - start)
            #expect(claims.map(\.limit) == [1])
            let (jobs, effects) = fixture.claim(1)
            #expect(effects.claims.isEmpty, "a probe is out")
            _ = fixture.send(.submitted(jobs[0].attempt, failure(.providerMaintenance, 455)))
        }
        #expect(delays[0] <= .milliseconds(1_100))
        #expect(delays[11] > .seconds(200))
        #expect(delays.allSatisfy { $0 <= .milliseconds(300_100) })
    }

    @Test(arguments: [(5, 10), (40, 40), (100_000, 3_600)])
    func `a 429 that says for how long is heeded, but not for a day`(said: Int, waited: Int) throws {
        var refusal = Failure(.rateLimited, "…", httpStatus: 429, apiCode: 429)
        refusal.retryAfter = .seconds(said)
        var (fixture, _) = closed(by: .rejected(refusal))
        fixture.pass(.seconds(waited) - .milliseconds(100))
        #expect(fixture.send(.tick).claims.isEmpty)
        fixture.pass(.milliseconds(200))
        #expect(fixture.send(.tick).claims.count == 1)
    }

    @Test func `a probe that succeeds opens the gate`() {
        var (fixture, _) = closed(by: failure(.providerMaintenance, 455))
        fixture.pass(.seconds(1))
        #expect(fixture.send(.tick).claims.count == 1)
        let effects = fixture.answerOne(.accepted(TaskID("x"), httpStatus: 200))
        #expect(effects.gates == [])
        #expect(effects.claims.map(\.limit) == [18])
    }

    @Test func `a bad input proves that provider and key are well`() {
        var (fixture, _) = closed(by: failure(.providerMaintenance, 455))
        fixture.pass(.seconds(1))
        _ = fixture.send(.tick)
        #expect(fixture.answerOne(failure(.invalidInput)).gates == [])
    }

    @Test func `a bad input does not prove that there are credits`() {
        var (fixture, _) = closed(by: failure(.creditsExhausted, 402))
        _ = fixture.read(100)
        fixture.pass(.seconds(15))
        #expect(fixture.send(.tick).claims.count == 1)
        let (jobs, _) = fixture.claim(1)
        let effects = fixture.send(.submitted(jobs[0].attempt, failure(.invalidInput)))
        #expect(effects.gates == nil, "the gate stays as it is")
        #expect(effects.claims.map(\.limit) == [1])
    }

    @Test func `a new key opens the key's gate at once`() {
        var (fixture, _) = closed(by: failure(.keyRefused, 401))
        fixture.pass(.seconds(59))
        #expect(fixture.send(.tick).claims.isEmpty)
        #expect(fixture.send(.reloaded(fixture.engine.settings)).claims.count == 1)
    }

    @Test func `a new key lets polls that were backed off go at once`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        try fixture.untilPoll()
        _ = fixture.send(.polled(task.attempt, .unavailable(Failure(.keyRefused, "…"))))
        fixture.pass(.seconds(30))
        #expect(fixture.send(.tick).polls.isEmpty, "a refused key is asked with once a minute")
        #expect(fixture.send(.reloaded(fixture.engine.settings)).polls == [task.attempt])
    }

    @Test func `the end of an outage lets polls that were backed off go at once`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        let failure = Failure(.providerUnavailable, "…")
        let start = fixture.now.uptime
        while fixture.now.uptime - start < .seconds(100) {
            try fixture.untilPoll()
            _ = fixture.send(.polled(task.attempt, .unavailable(failure)))
        }
        fixture.pass(.seconds(20))
        #expect(fixture.send(.tick).polls.isEmpty)
        // Another question gets through.
        #expect(fixture.send(.balance(Credits(millicredits: 1_000))).polls == [task.attempt])
    }

    @Test func `a provider that is half well does not let polls that failed go each time`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        let failed = Failure(.providerUnavailable, "…")
        let start = fixture.now.uptime
        var (polls, openings) = (0, 0)
        _ = fixture.answerOne(failure(.providerUnavailable))
        while fixture.now.uptime - start < .seconds(600) {
            fixture.pass(.seconds(1))
            var effects = fixture.send(.tick)
            if !effects.claims.isEmpty {
                // The probe gets through, the request after it does not; questions about tasks never do.
                let opened = fixture.answerOne(.accepted(TaskID("t-\(openings)"), httpStatus: 200))
                openings += opened.gates == [] ? 1 : 0
                effects += opened + fixture.answerOne(failure(.providerUnavailable))
            }
            for attempt in effects.polls {
                polls += attempt == task.attempt ? 1 : 0
                _ = fixture.send(.polled(attempt, .unavailable(failed)))
            }
        }
        #expect(openings > 15)
        #expect(polls <= 20, "backed off to a minute, and hastened once a minute at most")
    }

    @Test func `a disabled model waits while others go on`() {
        var (fixture, effects) = closed(by: failure(.modelDisabled, 505))
        #expect(effects.claims.map(\.closedModels) == [["m"]])
        #expect(effects.claims.map(\.limit) == [19])
        let other = fixture.answerOne(.accepted(TaskID("x"), httpStatus: 200), model: "other")
        #expect(other.gates == nil, "another model proves nothing")
        fixture.pass(.seconds(61))
        let probe = fixture.send(.tick).claims.first
        #expect(probe?.closedModels == [])
        #expect(probe?.probedModels == ["m"])
    }

    @Test func `too many requests keep the window shut and halve it, which recovers and is shown`() throws {
        var (fixture, effects) = closed(by: failure(.rateLimited, 429))
        #expect(effects.claims.isEmpty)
        #expect(effects.gates == ["rate"])
        #expect(effects.notices.contains { if case .rateShrunk = $0 { true } else { false } })
        fixture.pass(.milliseconds(9_999))
        #expect(fixture.send(.tick).claims.isEmpty)
        fixture.pass(.milliseconds(1))
        let claims = fixture.send(.tick).claims
        #expect(claims.map(\.limit) == [10])
        #expect(claims.map(\.rate) == [RateLimit(count: 10, window: .seconds(10))])
        _ = fixture.send(.claimed(Claim()))
        fixture.pass(.seconds(10))
        #expect(fixture.send(.tick).gates == ["rate"])
        #expect(fixture.send(.ledgerChanged).claims.map(\.rate.count) == [11])
        _ = fixture.send(.claimed(Claim()))
        fixture.pass(.seconds(90))
        let whole = fixture.send(.tick)
        #expect(whole.gates == [])
        #expect(whole.notices.contains { if case .rateWhole = $0 { true } else { false } })
        #expect(fixture.send(.ledgerChanged).claims.map(\.limit) == [20])
    }

    @Test func `answers of one burst shrink the rate once, and a poll's 429 not at all`() throws {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(5)
        var shrunk = 0
        for job in jobs {
            let effects = fixture.send(.submitted(job.attempt, failure(.rateLimited, 429)))
            shrunk += effects.notices.count { if case .rateShrunk = $0 { true } else { false } }
        }
        #expect(shrunk == 1)

        var polling = EngineFixture()
        let task = polling.runOne()
        try polling.untilPoll()
        let effects = polling.send(.polled(task.attempt, .unavailable(Failure(.rateLimited, "…"))))
        #expect(effects.gates == nil)
        #expect(polling.engine.submissions.window.isWhole)
    }

    @Test func `a full disk stops submitting until something can be recorded again`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        _ = fixture.send(.claimFailed(LedgerError(.full, "the disk is full")))
        #expect(fixture.send(.ledgerChanged).claims.isEmpty)
        #expect(fixture.send(.recordResumed).claims.count == 1)
    }

    @Test func `a budget's hold is shown and taken back`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        var claim = Claim()
        let hold = BudgetHold(budget: "ads", queue: "q")
        claim.budgetHolds = [hold]
        claim.budgetSkips = [
            hold: BudgetSkip(price: Credits(millicredits: 14), limit: Credits(millicredits: 20), resetsAt: nil)
        ]
        claim.waitsForBudget = true
        let held = fixture.send(.claimed(claim))
        #expect(held.gates == ["budget:ads"])
        #expect(held.notices.contains { if case .budgetHeld = $0 { true } else { false } })
        fixture.pass(.seconds(60))
        #expect(fixture.send(.tick).claims.isEmpty, "no period begins but with an hour")
        fixture.pass(.seconds(540))
        #expect(fixture.send(.tick).claims.count == 1, "its period may be over")
        let again = fixture.send(.claimed(claim))
        #expect(again.notices.isEmpty, "it was said")
        // What is cheaper goes past, and the expensive job still waits: that is no news.
        var passing = claim
        passing.budgetHolds = []
        var cheap = fixture.job()
        cheap.queue = "q"
        passing.jobs = [cheap]
        _ = fixture.send(.ledgerChanged)
        #expect(fixture.send(.claimed(passing)).gates == nil)
        _ = fixture.send(.submitted(cheap.attempt, .accepted(TaskID("cheap"), httpStatus: 200)))
        var full = Claim()
        full.hasMore = true
        _ = fixture.send(.ledgerChanged)
        #expect(fixture.send(.claimed(full)).gates == nil, "without a slot nothing was looked at")
        _ = fixture.send(.ledgerChanged)
        let released = fixture.send(.claimed(Claim()))
        #expect(released.gates == [])
        #expect(released.notices.contains { if case .budgetReleased = $0 { true } else { false } })
    }

    @Test func `a job that no period of its budget has room for says so`() throws {
        var fixture = EngineFixture()
        _ = fixture.start()
        let hold = BudgetHold(budget: "small", queue: "q")
        var claim = Claim()
        claim.budgetHolds = [hold]
        let midnight = fixture.now.instant + .seconds(3_600)
        claim.budgetSkips = [
            hold: BudgetSkip(
                price: Credits(millicredits: 14_000),
                limit: Credits(millicredits: 20_000),
                resetsAt: midnight
            )
        ]
        let fits = try #require(fixture.send(.claimed(claim)).notes?.first)
        #expect(fits.reopensAt == midnight)
        claim.budgetSkips[hold]?.limit = Credits(millicredits: 10_000)
        _ = fixture.send(.ledgerChanged)
        let never = try #require(fixture.send(.claimed(claim)).notes?.first)
        #expect(never.reopensAt == nil)
        #expect(
            never.message.hasPrefix("the next job costs 14 and the budget's whole limit is 10, so it will never fit")
        )
    }

    @Test func `jobs that were claimed while a gate closed are given back, but for the probe`() throws {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (first, _) = fixture.claim(1, hasMore: true)
        let refused = fixture.send(.submitted(first[0].attempt, failure(.keyRefused)))
        #expect(refused.gates == ["key"])
        // A claim was out meanwhile.
        let (_, late) = fixture.claim(5)
        #expect(late.submissions.isEmpty)
        let returned = late.records.compactMap {
            if case .rejected(_, let failure, let then) = $0 { (failure.code, then) } else { nil }
        }
        #expect(returned.map(\.0) == Array(repeating: .notSent, count: 5))
        #expect(returned.allSatisfy { $0.1 == .retry(at: fixture.now.instant, counted: false) })
        fixture.pass(.seconds(60))
        #expect(fixture.claim(5).1.submissions.count == 1)
    }

    // MARK: - Questions that fail

    @Test(arguments: [(FailureCode.keyRefused, "key"), (.providerUnavailable, "provider")])
    func `questions about tasks that fail for a minute close a gate, and an answer opens it`(
        code: FailureCode,
        name: String
    ) throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        let start = fixture.now.uptime
        var gates: [String]?
        while gates == nil {
            try fixture.untilPoll()
            gates = fixture.send(.polled(task.attempt, .unavailable(Failure(code, "…")))).gates
            try #require(fixture.now.uptime - start < .seconds(300))
        }
        #expect(gates == [name])
        #expect(fixture.now.uptime - start >= .seconds(60))
        try fixture.untilPoll()
        let effects = fixture.send(.polled(task.attempt, .pending(providerState: "waiting")))
        #expect(effects.gates == [])
    }

    @Test func `a gate that an answer to a request has closed is not opened by questions`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        _ = fixture.send(.ledgerChanged)
        #expect(fixture.answerOne(failure(.keyRefused)).gates == ["key"])
        try fixture.untilPoll()
        #expect(fixture.send(.polled(task.attempt, .pending(providerState: "waiting"))).gates == nil)
    }

    // MARK: - After a start

    @Test func `after a 429 the next process waits for the window, and sends as much less`() throws {
        var fixture = EngineFixture()
        var recovery = Recovery()
        recovery.refusedAt = [fixture.now.instant - .seconds(4)]
        let effects = fixture.send(.started(recovery))
        #expect(effects.gates == ["rate"])
        #expect(effects.claims.isEmpty)
        fixture.pass(.seconds(7))
        #expect(fixture.send(.tick).claims.map(\.limit) == [10])
    }

    @Test(arguments: [(40, 40), (1_000_000, 3_600)])
    func `a wait that the provider asked for holds over a restart`(said: Int, waited: Int) {
        var fixture = EngineFixture()
        var recovery = Recovery()
        recovery.shutUntil = fixture.now.instant + .seconds(said)
        _ = fixture.send(.started(recovery))
        #expect(fixture.send(.balanceUnknown(Failure(.providerUnavailable, "…"))).claims.isEmpty)
        fixture.pass(.seconds(waited) - .milliseconds(100))
        #expect(fixture.send(.tick).claims.isEmpty)
        fixture.pass(.milliseconds(200))
        #expect(fixture.send(.tick).claims.count == 1)
    }

    @Test func `the first claim of a new ledger waits for the balance, but not for long`() {
        var recovery = Recovery()
        recovery.hasComparison = false
        var fixture = EngineFixture()
        let start = fixture.send(.started(recovery))
        #expect(start.asksForBalance)
        #expect(start.claims.isEmpty)
        let reading = fixture.send(.balance(Credits(millicredits: 5_000)))
        #expect(reading.claims.isEmpty, "it is not in the ledger yet")
        #expect(fixture.send(.recorded(reading.records[0], CommitResult())).claims.count == 1)

        var unread = EngineFixture()
        _ = unread.send(.started(recovery))
        #expect(unread.send(.balanceUnknown(Failure(.providerUnavailable, "…"))).claims.count == 1)

        var late = EngineFixture()
        #expect(late.send(.started(recovery)).wake.map { $0 <= late.now.uptime + .seconds(5) } == true)
        late.pass(.seconds(5))
        #expect(late.send(.tick).claims.count == 1)
    }

    @Test func `a claim that is out when the provider says 429 is given back`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(1)
        _ = fixture.send(.submitted(jobs[0].attempt, .accepted(TaskID("t"), httpStatus: 200)))
        let (refused, _) = fixture.claim(1)
        _ = fixture.send(.submitted(refused[0].attempt, .rejected(Failure(.rateLimited, "too many", httpStatus: 429))))
        let (late, effects) = fixture.claim(2)
        #expect(effects.submissions.isEmpty)
        let returned = effects.records.compactMap { change -> AttemptID? in
            if case .rejected(let attempt, _, then: .retry(_, counted: false)) = change { attempt } else { nil }
        }
        #expect(returned == late.map(\.attempt))
    }
}
