import Testing

@testable import PromptQueue

/// What becomes of requests whose answer was lost.
@Suite struct UnconfirmedTests {
    private static let lost = SubmissionOutcome.unknown(Failure(.answerLost, "lost"))

    /// An engine whose only request was lost.
    private func fixture(_ policy: UnconfirmedPolicy) -> EngineFixture {
        var fixture = EngineFixture {
            $0.account.unconfirmedPolicy = policy
            $0.account.unconfirmedWindow = .seconds(1_800)
        }
        _ = fixture.start()
        _ = fixture.answerOne(Self.lost)
        return fixture
    }

    private func given(_ job: JobState) -> CommitResult {
        var recorded = CommitResult(job: RecordedJob(id: JobID(1), state: job))
        recorded.settled = [SettledUnknown(attempt: AttemptID(1), job: recorded.job, evidence: nil)]
        return recorded
    }

    @Test func `the policy hold never gives a request up`() {
        var fixture = fixture(.hold)
        for _ in 0..<1_000 {
            fixture.pass(.seconds(3_600))
            #expect(fixture.send(.tick).givenUp.isEmpty)
        }
    }

    @Test func `the policy resubmit gives a request up after the window, once`() {
        var fixture = fixture(.resubmit)
        fixture.pass(.milliseconds(1_799_999))
        let early = fixture.send(.tick)
        #expect(early.givenUp.isEmpty)
        fixture.pass(.milliseconds(1))
        #expect(fixture.send(.tick).givenUp == [AttemptID(1)])
        #expect(fixture.send(.tick).givenUp.isEmpty)
        let effects = fixture.send(.recorded(.gaveUp(AttemptID(1)), given(.queued)))
        #expect(effects.notices.contains { if case .jobGivenUp(JobID(1), _, .queued) = $0 { true } else { false } })
        fixture.pass(.seconds(86_400))
        #expect(fixture.send(.tick).givenUp.isEmpty)
    }

    @Test func `a start goes on with the wait where the last one was`() {
        var fixture = EngineFixture { $0.account.unconfirmedPolicy = .resubmit }
        var recovery = Recovery()
        let lostAt = fixture.now.instant - .seconds(1_200)
        recovery.unknown = [UnknownAttempt(attempt: AttemptID(9), job: JobID(9), lostAt: lostAt)]
        #expect(fixture.send(.started(recovery)).givenUp.isEmpty)
        _ = fixture.send(.balanceUnknown(Failure(.providerUnavailable, "…")))
        _ = fixture.send(.claimed(Claim()))
        fixture.pass(.seconds(599))
        let effects = fixture.send(.tick)
        #expect(effects.givenUp.isEmpty)
        fixture.pass(.seconds(1))
        #expect(fixture.send(.tick).givenUp == [AttemptID(9)])
    }

    @Test func `a clock that is set forward does not end the wait`() {
        var fixture = fixture(.resubmit)
        fixture.now.instant = fixture.now.instant + .seconds(86_400)
        #expect(fixture.send(.tick).givenUp.isEmpty)
    }

    @Test func `a reload changes policy and window`() {
        var fixture = fixture(.hold)
        fixture.pass(.seconds(600))
        var settings = fixture.engine.settings
        settings.account.unconfirmedPolicy = .resubmit
        #expect(fixture.send(.reloaded(settings)).givenUp.isEmpty)
        settings.account.unconfirmedWindow = .seconds(600)
        #expect(fixture.send(.reloaded(settings)).givenUp == [AttemptID(1)])
    }

    @Test func `a job that was cancelled meanwhile is looked at again later`() {
        var fixture = fixture(.resubmit)
        fixture.pass(.seconds(1_800))
        #expect(fixture.send(.tick).givenUp.count == 1)
        let cancelled = CommitResult(job: RecordedJob(id: JobID(1), state: .cancelled))
        #expect(fixture.send(.recorded(.gaveUp(AttemptID(1)), cancelled)).givenUp.isEmpty)
        fixture.pass(.seconds(1_800))
        #expect(fixture.send(.tick).givenUp == [AttemptID(1)])
    }

    @Test func `a request whose task turns up is not given up`() {
        var fixture = fixture(.resubmit)
        var resumed = Recovery()
        resumed.tasks = [
            OpenTask(
                attempt: AttemptID(1),
                job: JobID(1),
                task: TaskID("t"),
                model: "m",
                acceptedAt: fixture.now.instant,
                attemptCount: 1,
                maxAttempts: 3
            )
        ]
        _ = fixture.send(.resumed(resumed))
        fixture.pass(.seconds(1_800))
        #expect(fixture.send(.tick).givenUp.isEmpty)
    }

    @Test func `the balance is read a minute after an answer was lost, in a quiet moment, and no claim waits for it`()
        throws
    {
        var fixture = fixture(.hold)
        fixture.pass(.seconds(60))
        #expect(!fixture.send(.tick).asksForBalance)
        fixture.pass(.seconds(1))
        let effects = fixture.send(.tick)
        #expect(effects.asksForBalance)
        #expect(fixture.read(100).reading?.isQuiet == true)
        fixture.pass(.seconds(3_600))
        #expect(!fixture.send(.tick).asksForBalance, "it has been looked at")

        var busy = self.fixture(.hold)
        busy.pass(.seconds(30))
        #expect(busy.send(.ledgerChanged).claims.count == 1)
        let (jobs, _) = busy.claim(1, hasMore: false)
        busy.pass(.seconds(31))
        #expect(!busy.send(.tick).asksForBalance, "a request is under way")
        let answered = busy.send(.submitted(jobs[0].attempt, .accepted(TaskID("x"), httpStatus: 200)))
        #expect(answered.asksForBalance)
    }

    @Test func `a reading within a minute of a lost answer cannot be compared`() {
        var fixture = fixture(.hold)
        fixture.pass(.seconds(10))
        var settings = fixture.engine.settings
        settings.balanceInterval = .zero
        _ = fixture.send(.tick)
        #expect(fixture.read(100).reading?.isQuiet == false)
    }

    @Test func `a start looks at the balance for requests that the last one lost`() {
        var fixture = EngineFixture()
        var recovery = Recovery()
        recovery.unknown = [UnknownAttempt(attempt: AttemptID(9), job: JobID(9), lostAt: fixture.now.instant)]
        _ = fixture.send(.started(recovery))
        _ = fixture.read(100)
        _ = fixture.send(.claimed(Claim()))
        fixture.pass(.seconds(61))
        #expect(fixture.send(.tick).asksForBalance)
    }

    @Test func `a job whose request proved to be free of charge is claimed again`() {
        var fixture = fixture(.hold)
        fixture.pass(.seconds(61))
        _ = fixture.send(.tick)
        let reading = fixture.read(100).reading
        guard let reading else {
            Issue.record("no reading")
            return
        }
        var recorded = CommitResult()
        let job = RecordedJob(id: JobID(1), state: .queued)
        recorded.settled = [SettledUnknown(attempt: AttemptID(1), job: job, evidence: "so it is")]
        let effects = fixture.send(.recorded(.balance(reading), recorded))
        #expect(effects.claims.count == 1)
        #expect(effects.notices.contains { if case .jobCleared(JobID(1), _, "so it is") = $0 { true } else { false } })
    }
}

extension [EngineEffect] {
    fileprivate var givenUp: [AttemptID] {
        records.compactMap { if case .gaveUp(let attempt) = $0 { attempt } else { nil } }
    }
}
