import Testing

@testable import PromptQueue

/// A callback makes the engine ask; what it says settles nothing.
@Suite struct CallbackTests {
    private static let output: PollOutcome = .succeeded(
        [.file(url: "https://x/1.png")],
        charged: Credits(millicredits: 14_000)
    )
    private static let waiting: PollOutcome = .pending(providerState: "waiting")

    private func tentative(_ attempt: AttemptID, _ task: String, in fixture: EngineFixture) -> OpenTask {
        OpenTask(
            attempt: attempt,
            job: JobID(attempt.rawValue),
            task: TaskID(task),
            model: "m",
            acceptedAt: fixture.now.instant,
            attemptCount: 1,
            maxAttempts: 3
        )
    }

    /// Attempt 9, which a daemon before this one has lost, with a callback that names "late".
    private func lost() -> (EngineFixture, OpenTask, [EngineEffect]) {
        var fixture = EngineFixture()
        _ = fixture.start()
        let task = tentative(AttemptID(9), "late", in: fixture)
        let effects = fixture.send(.hinted(AttemptID(9), tentative: task))
        return (fixture, task, effects)
    }

    // MARK: - A task that is tracked

    @Test func `a callback makes the next poll due now`() {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        #expect(fixture.send(.hinted(task.attempt)).polls == [task.attempt])
        let effects = fixture.send(.polled(task.attempt, Self.output))
        guard case .taskSucceeded(task.attempt, _, _, _, _)? = effects.records.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(fixture.send(.hinted(task.attempt)).polls == [], "its end is being recorded")
        _ = fixture.send(.recorded(.taskSucceeded(task.attempt, [], charged: nil, fetch: true), Recorded()))
        #expect(fixture.send(.hinted(task.attempt)).polls == [])
        #expect(fixture.engine.hints.isEmpty)
    }

    @Test func `what a callback says of the task changes nothing`() {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        let other = tentative(task.attempt, "another", in: fixture)
        let effects = fixture.send(.hinted(task.attempt, tentative: other))
        #expect(effects.askedTasks == [task.task])
        #expect(effects.records.isEmpty)
    }

    @Test func `a thousand callbacks are worth no more polls than one`() {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        var polls = 0
        for _ in 0..<1_000 { polls += fixture.send(.hinted(task.attempt)).polls.count }
        #expect(polls == 1)
        _ = fixture.send(.polled(task.attempt, Self.waiting))
        for _ in 0..<1_000 { polls += fixture.send(.hinted(task.attempt)).polls.count }
        #expect(polls == 1, "the next question is due in a second anyway")
        fixture.pass(.seconds(1))
        for _ in 0..<1_000 { polls += fixture.send(.hinted(task.attempt)).polls.count }
        #expect(polls == 2)
    }

    @Test func `a record that lags behind its callback is asked for again soon, a few times`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        var at: [Duration] = []
        let start = fixture.now.uptime
        #expect(fixture.send(.hinted(task.attempt)).polls == [task.attempt])
        for _ in 0..<3 {
            _ = fixture.send(.polled(task.attempt, Self.waiting))
            try fixture.untilPoll()
            at.append(fixture.now.uptime - start)
        }
        #expect(at == [.seconds(1), .seconds(3), .seconds(7)])
        _ = fixture.send(.polled(task.attempt, Self.waiting))
        #expect(fixture.engine.hints.isEmpty, "the usual schedule goes on")
        try fixture.untilPoll()
    }

    @Test func `a callback that comes while a poll is under way is not answered by that poll`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        try fixture.untilPoll()
        #expect(fixture.send(.hinted(task.attempt)).polls == [], "one at a time")
        #expect(fixture.send(.polled(task.attempt, Self.waiting)).polls == [task.attempt])
    }

    @Test func `hinted polls keep within the polls per second`() {
        var fixture = EngineFixture { $0.pollsPerSecond = 3 }
        _ = fixture.start()
        var recovery = Recovery()
        recovery.tasks = (1...10).map { tentative(AttemptID($0), "task-\($0)", in: fixture) }
        _ = fixture.send(.resumed(recovery))
        var polls = 0
        for number in 1...10 { polls += fixture.send(.hinted(AttemptID(Int64(number)))).polls.count }
        #expect(polls == 3)
    }

    @Test func `a callback that overtakes the answer is remembered until the acceptance is recorded`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(1, hasMore: false)
        let attempt = jobs[0].attempt
        let early = tentative(attempt, "named-by-the-callback", in: fixture)
        #expect(fixture.send(.hinted(attempt, tentative: early)).polls == [])
        let answered = fixture.send(.submitted(attempt, .accepted(TaskID("answered"), httpStatus: 200)))
        #expect(answered.polls == [], "not in the ledger yet")
        let effects = fixture.send(
            .recorded(.accepted(attempt, task: TaskID("answered"), httpStatus: 200), Recorded())
        )
        #expect(effects.askedTasks == [TaskID("answered")])
    }

    // MARK: - A task whose answer was lost

    @Test func `a callback for a lost request asks first, and adopts the task when the provider knows it`() {
        var (fixture, task, effects) = lost()
        #expect(effects.askedTasks == [task.task])
        #expect(effects.records.isEmpty)
        effects = fixture.send(.polled(task.attempt, Self.output))
        #expect(effects.accepted == [task.task])
        #expect(effects.records.count == 1, "the end comes after the acceptance")
        effects = fixture.send(.recorded(.accepted(task.attempt, task: task.task, httpStatus: 200), Recorded()))
        guard case .taskSucceeded(task.attempt, let outputs, _, _, _)? = effects.records.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(outputs.count == 1)
        #expect(effects.polls == [], "one question is enough")
        #expect(fixture.engine.hints.isEmpty)
    }

    @Test func `an adopted task that has not ended is tracked as usual`() throws {
        var (fixture, task, _) = lost()
        _ = fixture.send(.polled(task.attempt, Self.waiting))
        _ = fixture.send(.recorded(.accepted(task.attempt, task: task.task, httpStatus: 200), Recorded()))
        #expect(fixture.engine.runningCount == 1)
        try fixture.untilPoll()
        let effects = fixture.send(.polled(task.attempt, .failed(Failure(.contentRefused, "no"), charged: .zero)))
        #expect(effects.aftermath == .fail)
    }

    @Test func `a callback that comes while the request is out settles it when the answer is lost`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(1, hasMore: false)
        let task = tentative(jobs[0].attempt, "named", in: fixture)
        _ = fixture.send(.hinted(task.attempt, tentative: task))
        let effects = fixture.send(.submitted(task.attempt, .unknown(Failure(.answerLost, "lost"))))
        #expect(effects.askedTasks == [task.task])
        #expect(fixture.send(.polled(task.attempt, Self.waiting)).accepted == [task.task])
    }

    @Test(arguments: [
        SubmissionOutcome.rejected(Failure(.invalidInput, "no", httpStatus: 200, apiCode: 422)),
        .notSent(Failure(.notSent, "refused")),
    ])
    func `a callback for a request that made no task is forgotten`(outcome: SubmissionOutcome) {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(1, hasMore: false)
        let task = tentative(jobs[0].attempt, "named", in: fixture)
        _ = fixture.send(.hinted(task.attempt, tentative: task))
        #expect(fixture.send(.submitted(task.attempt, outcome)).polls == [])
        #expect(fixture.engine.hints.isEmpty)
    }

    @Test func `a task that the provider does not know is asked about a few times, and never adopted`() throws {
        var (fixture, task, effects) = lost()
        let start = fixture.now.uptime
        for _ in 1..<Hint.tentativeQuestions {
            effects = fixture.send(.polled(task.attempt, .notFound))
            #expect(effects.records.isEmpty)
            try fixture.untilPoll()
        }
        #expect(fixture.now.uptime - start == .seconds(127), "a new task may stay invisible for 90 s")
        effects = fixture.send(.polled(task.attempt, .notFound))
        #expect(effects.records.isEmpty)
        #expect(effects.drops == 1)
        #expect(fixture.engine.hints.isEmpty)
        let next = fixture.passUntilPoll()
        #expect(next == nil)
        #expect(
            fixture.send(.hinted(task.attempt, tentative: task)).polls == [task.attempt],
            "another callback, another try"
        )
    }

    @Test func `an outage does not use up the questions`() throws {
        var (fixture, task, _) = lost()
        for _ in 0..<100 {
            let failure = Failure(.providerUnavailable, "…")
            #expect(fixture.send(.polled(task.attempt, .unavailable(failure))).accepted.isEmpty)
            try fixture.untilPoll()
        }
        #expect(fixture.send(.polled(task.attempt, Self.waiting)).accepted == [task.task])
    }

    @Test func `an adoption that the ledger refuses is dropped`() {
        var (fixture, task, _) = lost()
        _ = fixture.send(.polled(task.attempt, Self.output))
        var refused = Recorded()
        refused.refusal = AcceptanceRefusal()
        let effects = fixture.send(.recorded(.accepted(task.attempt, task: task.task, httpStatus: 200), refused))
        #expect(effects.records.isEmpty)
        #expect(effects.drops == 1)
        #expect(fixture.engine.runningCount == 0)
        let next = fixture.passUntilPoll()
        #expect(next == nil)
    }

    @Test func `a task that an operator named meanwhile is tracked instead`() throws {
        var (fixture, task, _) = lost()
        _ = fixture.send(.polled(task.attempt, Self.output))
        var refused = Recorded()
        refused.refusal = AcceptanceRefusal(instead: tentative(task.attempt, "theirs", in: fixture))
        _ = fixture.send(.recorded(.accepted(task.attempt, task: task.task, httpStatus: 200), refused))
        #expect(fixture.passUntilPollTasks() == [TaskID("theirs")])
    }

    @Test func `an answer about the named task is not taken for one about the operator's`() {
        var (fixture, task, _) = lost()
        var recovery = Recovery()
        recovery.tasks = [tentative(task.attempt, "theirs", in: fixture)]
        _ = fixture.send(.resumed(recovery))
        let effects = fixture.send(.polled(task.attempt, Self.output))
        #expect(effects.records.isEmpty)
        #expect(effects.askedTasks == [TaskID("theirs")])
    }

    @Test func `a callback that names no task cannot settle a lost request`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        #expect(fixture.send(.hinted(AttemptID(9))).polls == [])
        #expect(fixture.engine.hints.isEmpty)
    }

    @Test func `the polls' pace is given back however a hint ends`() throws {
        var fixture = EngineFixture { $0.pollsPerSecond = 1 }
        _ = fixture.start()
        for number in 1...20 {
            let task = tentative(AttemptID(Int64(number)), "task-\(number)", in: fixture)
            #expect(fixture.send(.hinted(task.attempt, tentative: task)).polls == [task.attempt], "\(number)")
            _ = fixture.send(.polled(task.attempt, Self.output))
            var recorded = Recorded()
            if number.isMultiple(of: 2) { recorded.refusal = AcceptanceRefusal() }
            let change = LedgerChange.accepted(task.attempt, task: task.task, httpStatus: 200)
            _ = fixture.send(.recorded(change, recorded))
            fixture.pass(.seconds(1))
        }
    }
}

extension EngineFixture {
    /// The tasks that are asked about next.
    fileprivate mutating func passUntilPollTasks() -> [TaskID] {
        for _ in 0..<100 {
            let effects = send(.tick)
            if !effects.askedTasks.isEmpty { return effects.askedTasks }
            pass(.seconds(1))
        }
        return []
    }
}

extension [EngineEffect] {
    fileprivate var askedTasks: [TaskID] { compactMap { if case .poll(let task) = $0 { task.task } else { nil } } }
    fileprivate var accepted: [TaskID] {
        records.compactMap { if case .accepted(_, let task, _) = $0 { task } else { nil } }
    }
    fileprivate var drops: Int {
        count { if case .notify(.hintDropped) = $0 { true } else { false } }
    }
}
