import Testing

@testable import PromptQueue

/// Claiming, sending, and what each answer does to the job.
@Suite struct SubmissionTests {
    @Test func `it claims as many jobs as there are slots and places`() {
        var fixture = EngineFixture { $0.running = 12 }
        #expect(fixture.start().claims.map(\.limit) == [12])
        var wide = EngineFixture()
        #expect(wide.start().claims.map(\.limit) == [20])
    }

    @Test func `nothing is claimed before the ledger is in order, nor while a claim is out`() {
        var fixture = EngineFixture()
        #expect(fixture.send(.ledgerChanged).claims.isEmpty)
        #expect(fixture.start().claims.count == 1)
        #expect(fixture.send(.ledgerChanged).claims.isEmpty)
    }

    @Test func `claimed jobs are sent, and a full window waits for a slot`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, effects) = fixture.claim(20)
        #expect(effects.submissions == jobs.map(\.attempt))
        #expect(effects.claims.isEmpty)
        fixture.pass(.milliseconds(300))
        for job in jobs {
            let effects = fixture.send(.submitted(job.attempt, .accepted(TaskID("x"), httpStatus: 200)))
            #expect(effects.claims.isEmpty)
        }
        fixture.pass(.milliseconds(9_999))
        #expect(fixture.send(.tick).claims.isEmpty)
        fixture.pass(.milliseconds(1))
        #expect(fixture.send(.tick).claims.map(\.limit) == [20])
    }

    @Test func `slots that an earlier process left busy are respected`() {
        var fixture = EngineFixture()
        var recovery = Recovery()
        recovery.answeredAt = (0..<20).map { _ in fixture.now.instant - .seconds(4) }
        let effects = fixture.send(.started(recovery))
        #expect(effects.claims.isEmpty)
        #expect(effects.wake == fixture.now.uptime + .milliseconds(6_001))
    }

    @Test func `a ledger that sees no room is not asked again at once`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        var claim = Claim()
        claim.hasMore = true
        #expect(fixture.send(.claimed(claim)).claims.isEmpty)
        fixture.pass(.milliseconds(100))
        #expect(fixture.send(.tick).claims.count == 1)
    }

    @Test func `a clock that was set back does not keep the window shut for longer than a window`() {
        var fixture = EngineFixture()
        var recovery = Recovery()
        recovery.answeredAt = (0..<20).map { _ in fixture.now.instant + .seconds(86_400) }
        #expect(fixture.send(.started(recovery)).claims.isEmpty)
        fixture.pass(.seconds(10))
        #expect(fixture.send(.tick).claims.map(\.limit) == [20])
    }

    @Test func `an empty queue is asked again only when somebody changed it or a job becomes due`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        var claim = Claim()
        claim.nextRunAt = fixture.now.instant + .seconds(30)
        let effects = fixture.send(.claimed(claim))
        #expect(effects.claims.isEmpty)
        #expect(effects.wake == fixture.now.uptime + .seconds(30))
        #expect(fixture.send(.ledgerChanged).claims.count == 1)
        _ = fixture.send(.claimed(claim))
        fixture.pass(.seconds(30))
        #expect(fixture.send(.tick).claims.count == 1)
    }

    @Test func `what is learnt of the queue while a claim is out is not forgotten`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        _ = fixture.send(.ledgerChanged)
        #expect(fixture.send(.claimed(Claim())).claims.count == 1)

        let (jobs, _) = fixture.claim(1, hasMore: false)
        _ = fixture.send(.ledgerChanged)
        let later = fixture.now.instant + .seconds(5)
        let failure = Failure(.providerFault, "…")
        _ = fixture.send(.submitted(jobs[0].attempt, .rejected(failure)))
        let retry = LedgerChange.rejected(jobs[0].attempt, failure, then: .retry(at: later, counted: true))
        _ = fixture.send(.recorded(retry, CommitResult()))
        #expect(fixture.send(.claimed(Claim())).claims.isEmpty)
        fixture.pass(.seconds(5))
        #expect(fixture.send(.tick).claims.count == 1)
    }

    @Test func `a queue's free place is noticed when a job of it ends`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        var claim = Claim()
        claim.waitsForPlace = true
        _ = fixture.send(.ledgerChanged)
        #expect(fixture.send(.claimed(claim)).claims.isEmpty)
        try fixture.untilPoll()
        let failure = Failure(.taskFailed, "…")
        _ = fixture.send(.polled(task.attempt, .failed(failure, charged: .zero)))
        let change = LedgerChange.taskFailed(task.attempt, failure, charged: .zero, then: .fail)
        #expect(fixture.send(.recorded(change, CommitResult())).claims.count == 1)
    }

    @Test func `an accepted job is recorded before anything else happens with it`() throws {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(1, hasMore: false)
        let effects = fixture.send(.submitted(jobs[0].attempt, .accepted(TaskID("abc"), httpStatus: 200)))
        guard case .accepted(let attempt, let task, 200)? = effects.records.first else {
            Issue.record("not recorded: \(effects)")
            return
        }
        #expect(attempt == jobs[0].attempt)
        #expect(task == TaskID("abc"))
        #expect(effects.polls.isEmpty)
    }

    static let finals: [FailureCode] = [
        .invalidInput, .modelUnavailable, .contentRefused, .inputUnusable, .taskFailed,
    ]

    @Test(arguments: finals)
    func `a failure that trying again cannot fix ends the job`(code: FailureCode) {
        #expect(disposition(code) == .fail)
    }

    @Test(arguments: [FailureCode.keyRefused, .creditsExhausted, .keyCapReached, .rateLimited, .modelDisabled])
    func `an answer that is not about the job puts it back at once, and does not count`(code: FailureCode) {
        let fixture = EngineFixture()
        #expect(disposition(code) == .retry(at: fixture.now.instant, counted: false))
    }

    @Test func `a fault of the provider is tried again later, and counts while the provider is healthy`() throws {
        guard case .retry(let at, counted: true)? = disposition(.providerUnavailable, apiCode: 500) else {
            Issue.record("not tried again")
            return
        }
        let fixture = EngineFixture()
        #expect(at >= fixture.now.instant)
        #expect(at <= fixture.now.instant + .seconds(5))
        #expect(disposition(.providerUnavailable, apiCode: 500, attemptCount: 3) == .fail)
    }

    @Test func `maintenance never counts`() {
        guard case .retry(_, counted: false)? = disposition(.providerMaintenance, apiCode: 455, attemptCount: 3) else {
            Issue.record("counted")
            return
        }
    }

    @Test func `a request that never left is put back and does not count`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(1)
        let effects = fixture.send(.submitted(jobs[0].attempt, .notSent(Failure(.notSent, "refused"))))
        #expect(effects.disposition == .retry(at: fixture.now.instant, counted: false))
    }

    @Test func `a lost answer is recorded as unknown and never sent again`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(1, hasMore: false)
        let effects = fixture.send(.submitted(jobs[0].attempt, .unknown(Failure(.answerLost, "lost"))))
        let isRecorded = effects.records.contains { if case .unknown(jobs[0].attempt, _) = $0 { true } else { false } }
        #expect(isRecorded, "\(effects)")
        fixture.pass(.seconds(86_400))
        #expect(fixture.send(.tick).submissions.isEmpty)
    }

    @Test func `a job that is given back keeps its slot, as the ledger has it`() {
        var fixture = EngineFixture { $0.rate = RateLimit(count: 2, window: .seconds(10)) }
        _ = fixture.start()
        // Another claim is out when the answer to the first job closes the gate.
        let (jobs, _) = fixture.claim(1)
        _ = fixture.send(.submitted(jobs[0].attempt, .rejected(Failure(.keyRefused, "401"))))
        #expect(fixture.claim(1).1.submissions.isEmpty)
        #expect(fixture.send(.reloaded(fixture.engine.settings)).claims.isEmpty, "both slots are busy")
        fixture.pass(.seconds(10))
        #expect(fixture.send(.tick).claims.first?.limit == 2)
    }

    @Test func `what is given back while draining is no trouble of the provider`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(1)
        _ = fixture.send(.drain)
        let effects = fixture.send(.submitted(jobs[0].attempt, .notSent(Failure(.notSent, "stopped"))))
        #expect(effects.disposition == .retry(at: fixture.now.instant, counted: false))
        #expect(effects.gates == nil)
        #expect(!effects.notices.contains { if case .gateClosed = $0 { true } else { false } })
    }

    @Test func `a claim that arrives while draining is given back unsent`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        #expect(!fixture.send(.drain).stops)
        let (_, effects) = fixture.claim(1)
        #expect(effects.submissions.isEmpty)
        #expect(effects.disposition == .retry(at: fixture.now.instant, counted: false))
        #expect(!effects.stops)
        guard let change = effects.records.first(where: { if case .rejected = $0 { true } else { false } }) else {
            return
        }
        let rest = effects.records.count - 1
        var last = fixture.send(.recorded(change, CommitResult()))
        for _ in 0..<rest { last = fixture.send(.recorded(.gates([]), CommitResult())) }
        #expect(last.stops)
    }

    private func disposition(_ code: FailureCode, apiCode: Int? = nil, attemptCount: Int = 1) -> FailureDisposition? {
        var fixture = EngineFixture()
        _ = fixture.start()
        var claim = Claim()
        claim.jobs = [fixture.job(attemptCount: attemptCount)]
        _ = fixture.send(.claimed(claim))
        let failure = Failure(code, "…", httpStatus: 200, apiCode: apiCode)
        return fixture.send(.submitted(claim.jobs[0].attempt, .rejected(failure))).disposition
    }
}
