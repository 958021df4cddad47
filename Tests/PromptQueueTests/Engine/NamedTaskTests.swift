import Testing

@testable import PromptQueue

/// A callback that names the task of a request whose answer was lost: the provider is asked, and only what it knows is adopted.
@Suite struct NamedTaskTests {
    /// Attempt 9, which a daemon before this one has lost, with a callback that names "late".
    private func lost() -> (EngineFixture, OpenTask, [EngineEffect]) {
        var fixture = EngineFixture()
        _ = fixture.start()
        let task = fixture.openTask(AttemptID(9), "late")
        let effects = fixture.send(.hinted(AttemptID(9), candidate: task))
        return (fixture, task, effects)
    }

    @Test func `a callback for a lost request asks first, and adopts the task when the provider knows it`() {
        var (fixture, task, effects) = lost()
        #expect(effects.askedTasks == [task.task])
        #expect(effects.records.isEmpty)
        effects = fixture.send(.polled(task.attempt, .picture))
        #expect(effects.accepted == [task.task])
        #expect(effects.records.count == 1, "the end comes after the acceptance")
        effects = fixture.send(.recorded(.accepted(task.attempt, task: task.task, httpStatus: 200), CommitResult()))
        guard case .taskSucceeded(task.attempt, let outputs, _, _, _, _)? = effects.records.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(outputs.count == 1)
        #expect(effects.polls == [], "one question is enough")
        #expect(fixture.engine.hints.isEmpty)
    }

    @Test func `an adopted task that has not ended is tracked as usual`() throws {
        var (fixture, task, _) = lost()
        _ = fixture.send(.polled(task.attempt, .waiting))
        _ = fixture.send(.recorded(.accepted(task.attempt, task: task.task, httpStatus: 200), CommitResult()))
        #expect(fixture.engine.runningCount == 1)
        try fixture.untilPoll()
        let effects = fixture.send(.polled(task.attempt, .failed(Failure(.contentRefused, "no"), charged: .zero)))
        #expect(effects.disposition == .fail)
    }

    @Test func `a callback that comes while the request is out settles it when the answer is lost`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(1, hasMore: false)
        let task = fixture.openTask(jobs[0].attempt, "named")
        _ = fixture.send(.hinted(task.attempt, candidate: task))
        let effects = fixture.send(.submitted(task.attempt, .unknown(Failure(.answerLost, "lost"))))
        #expect(effects.askedTasks == [task.task])
        #expect(fixture.send(.polled(task.attempt, .waiting)).accepted == [task.task])
    }

    @Test(arguments: [
        SubmissionOutcome.rejected(Failure(.invalidInput, "no", httpStatus: 200, apiCode: 422)),
        .notSent(Failure(.notSent, "refused")),
    ])
    func `a refusal of a request for which a callback has named a task proves nothing`(outcome: SubmissionOutcome) {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(1, hasMore: false)
        let task = fixture.openTask(jobs[0].attempt, "named")
        _ = fixture.send(.hinted(task.attempt, candidate: task))
        let effects = fixture.send(.submitted(task.attempt, outcome))
        let doubts = effects.records.compactMap { change -> Failure? in
            if case .unknown(task.attempt, let failure) = change { failure } else { nil }
        }
        #expect(doubts.map { $0.message.contains("a callback has named its task named") } == [true])
        #expect(effects.askedTasks == [task.task])
        #expect(fixture.send(.polled(task.attempt, .waiting)).accepted == [task.task])
    }

    @Test func `a task that the provider does not know is asked about a few times, and never adopted`() throws {
        var (fixture, task, effects) = lost()
        let start = fixture.now.uptime
        for _ in 1..<Hint.candidateQuestions {
            effects = fixture.send(.polled(task.attempt, .notFound))
            #expect(effects.records.isEmpty)
            try fixture.untilPoll()
        }
        #expect(fixture.now.uptime - start == .seconds(127), "a new task may stay invisible for 90 s")
        effects = fixture.send(.polled(task.attempt, .notFound))
        let isRefuted = effects.records.contains {
            if case .hintRefuted(task.attempt, task.task) = $0 { true } else { false }
        }
        #expect(isRefuted, "the ledger may let it be sent again")
        #expect(effects.drops == 1)
        #expect(fixture.engine.hints.isEmpty)
        let next = fixture.passUntilPoll()
        #expect(next == nil)
        effects = fixture.send(.hinted(task.attempt, candidate: task))
        #expect(effects.polls == [task.attempt], "an hour later it is worth one question")
        _ = fixture.send(.polled(task.attempt, .notFound))
        effects = fixture.send(.hinted(task.attempt, candidate: task))
        #expect(effects.polls == [], "the same again, a moment later")
        try fixture.untilPoll(limit: .seconds(31))
        effects = fixture.send(.polled(task.attempt, .notFound))
        #expect(effects.drops == 0, "once is enough for the log")
        let other = fixture.openTask(task.attempt, "another")
        effects = fixture.send(.hinted(task.attempt, candidate: other))
        #expect(effects.polls == [task.attempt], "another name, another try")
    }

    @Test func `a name that an earlier process was told is asked about at the start`() {
        var fixture = EngineFixture()
        let task = fixture.openTask(AttemptID(9), "told-before")
        var recovery = Recovery()
        recovery.unknown = [
            UnknownAttempt(attempt: AttemptID(9), job: JobID(9), lostAt: fixture.now.instant, hinted: task),
            UnknownAttempt(attempt: AttemptID(10), job: JobID(10), lostAt: fixture.now.instant),
        ]
        let effects = fixture.send(.started(recovery))
        #expect(effects.askedTasks == [TaskID("told-before")])
        #expect(effects.records.isEmpty, "a hint is only a hint")
        #expect(fixture.send(.polled(task.attempt, .waiting)).accepted == [task.task])
    }

    @Test func `of two names the later one is asked about, the earlier one is taken if the provider knows it`() {
        var (fixture, task, _) = lost()
        let other = fixture.openTask(task.attempt, "other")
        #expect(fixture.send(.hinted(task.attempt, candidate: other)).polls == [], "one at a time")
        let effects = fixture.send(.polled(task.attempt, .notFound))
        #expect(effects.askedTasks == [TaskID("other")])
        #expect(effects.records.isEmpty)
        #expect(fixture.send(.polled(task.attempt, .waiting)).accepted == [TaskID("other")])
        (fixture, _, _) = lost()
        _ = fixture.send(.hinted(task.attempt, candidate: other))
        #expect(fixture.send(.polled(task.attempt, .waiting)).accepted == [task.task])
    }

    @Test func `ever new names are not asked about without end`() {
        var (fixture, task, _) = lost()
        var polls = 1
        var asked = 1
        // Five minutes long, ten a second.
        for number in 0..<3_000 {
            let other = fixture.openTask(task.attempt, "name-\(number)")
            let answers = (0..<asked).map { _ in fixture.send(.polled(task.attempt, .notFound)).polls.count }
            asked = fixture.send(.hinted(task.attempt, candidate: other)).polls.count + answers.reduce(0, +)
            polls += asked
            fixture.pass(.milliseconds(100))
        }
        #expect(polls < Hint.maximumNames + Hint.candidateQuestions + 12, "\(polls)")
    }

    private static let origins: [(TaskEcho?, Bool)] = [
        (TaskEcho(model: "another"), false), (TaskEcho(model: "m"), true), (TaskEcho(prompt: "a dog"), false),
        (TaskEcho(model: "m", prompt: " a\nred  fox "), true), (nil, true),
    ]

    @Test(arguments: origins)
    func `a task of another model or prompt is not the job's`(origin: TaskEcho?, isAdopted: Bool) {
        var fixture = EngineFixture()
        _ = fixture.start()
        var task = fixture.openTask(AttemptID(9), "named")
        task.prompt = "a red fox"
        _ = fixture.send(.hinted(task.attempt, candidate: task))
        let effects = fixture.send(.polled(task.attempt, .waiting, origin: origin))
        #expect(effects.accepted == (isAdopted ? [task.task] : []))
        #expect(effects.drops == (isAdopted ? 0 : 1))
        #expect(fixture.engine.hints.isEmpty == !isAdopted)
    }

    @Test func `an outage does not use up the questions, and makes them rarer`() throws {
        var (fixture, task, _) = lost()
        let start = fixture.now.uptime
        for _ in 0..<100 {
            let failure = Failure(.providerUnavailable, "…")
            #expect(fixture.send(.polled(task.attempt, .unavailable(failure))).accepted.isEmpty)
            try fixture.untilPoll()
        }
        // 2, 4, 8, 16 and 32 s, and then a minute each.
        let all: Duration = .seconds(62 + 95 * 60)
        #expect(fixture.now.uptime - start == all)
        #expect(fixture.send(.polled(task.attempt, .waiting)).accepted == [task.task])
    }

    @Test func `an adoption that the ledger refuses is dropped`() {
        var (fixture, task, _) = lost()
        _ = fixture.send(.polled(task.attempt, .picture))
        var refused = CommitResult()
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
        _ = fixture.send(.polled(task.attempt, .picture))
        var refused = CommitResult()
        refused.refusal = AcceptanceRefusal(instead: fixture.openTask(task.attempt, "theirs"))
        _ = fixture.send(.recorded(.accepted(task.attempt, task: task.task, httpStatus: 200), refused))
        #expect(fixture.passUntilPollTasks() == [TaskID("theirs")])
    }

    @Test func `an answer about the named task is not taken for one about the operator's`() {
        var (fixture, task, _) = lost()
        var recovery = Recovery()
        recovery.tasks = [fixture.openTask(task.attempt, "theirs")]
        _ = fixture.send(.resumed(recovery))
        let effects = fixture.send(.polled(task.attempt, .picture))
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
            let task = fixture.openTask(AttemptID(Int64(number)), "task-\(number)")
            #expect(fixture.send(.hinted(task.attempt, candidate: task)).polls == [task.attempt], "\(number)")
            _ = fixture.send(.polled(task.attempt, .picture))
            var recorded = CommitResult()
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
    fileprivate var accepted: [TaskID] {
        records.compactMap { if case .accepted(_, let task, _) = $0 { task } else { nil } }
    }
    fileprivate var drops: Int {
        count { if case .notify(.hintDropped) = $0 { true } else { false } }
    }
}
