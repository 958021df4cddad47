import Testing

@testable import PromptQueue

/// A callback makes the engine ask; what it says settles nothing.
@Suite struct CallbackTests {
    @Test func `a callback makes the next poll due now`() {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        #expect(fixture.send(.hinted(task.attempt)).polls == [task.attempt])
        let effects = fixture.send(.polled(task.attempt, .picture))
        guard case .taskSucceeded(task.attempt, _, _, _, _, _)? = effects.records.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(fixture.send(.hinted(task.attempt)).polls == [], "its end is being recorded")
        _ = fixture.send(.recorded(.taskSucceeded(task.attempt, [], charged: nil, fetch: true), CommitResult()))
        #expect(fixture.send(.hinted(task.attempt)).polls == [])
        #expect(fixture.engine.hints.isEmpty)
    }

    @Test func `what a callback says of the task changes nothing`() {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        let other = fixture.openTask(task.attempt, "another")
        let effects = fixture.send(.hinted(task.attempt, candidate: other))
        #expect(effects.askedTasks == [task.task])
        #expect(effects.records.isEmpty)
    }

    @Test func `a thousand callbacks are worth no more polls than one`() {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        var polls = 0
        for _ in 0..<1_000 { polls += fixture.send(.hinted(task.attempt)).polls.count }
        #expect(polls == 1)
        _ = fixture.send(.polled(task.attempt, .waiting))
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
            _ = fixture.send(.polled(task.attempt, .waiting))
            try fixture.untilPoll()
            at.append(fixture.now.uptime - start)
        }
        #expect(at == [.seconds(1), .seconds(3), .seconds(7)])
        _ = fixture.send(.polled(task.attempt, .waiting))
        #expect(fixture.engine.hints.isEmpty, "the usual schedule goes on")
        try fixture.untilPoll()
    }

    @Test func `replays of a callback are worth a poll in thirty seconds`() throws {
        // So that the usual schedule asks for nothing in between.
        var fixture = EngineFixture { $0.callbacksEnabled = true }
        let task = fixture.runOne()
        var polls = 0
        // Every tenth of a second for five minutes.
        for _ in 0..<3_000 {
            let effects = fixture.send(.hinted(task.attempt))
            polls += effects.polls.count
            if !effects.polls.isEmpty { _ = fixture.send(.polled(task.attempt, .waiting)) }
            fixture.pass(.milliseconds(100))
        }
        // The first is worth four, in seven seconds; of the rest each is 30 s after the last.
        #expect(polls >= 13 && polls <= 16, "\(polls)")
    }

    @Test func `a callback that comes again is not forgotten, only late`() throws {
        var fixture = EngineFixture { $0.callbacksEnabled = true }
        let task = fixture.runOne()
        _ = fixture.send(.hinted(task.attempt))
        for _ in 1..<Hint.questions {
            _ = fixture.send(.polled(task.attempt, .waiting))
            try fixture.untilPoll()
        }
        let last = fixture.now.uptime
        _ = fixture.send(.polled(task.attempt, .waiting))
        fixture.pass(.seconds(1))
        #expect(fixture.send(.hinted(task.attempt)).polls == [])
        try fixture.untilPoll()
        #expect(fixture.now.uptime - last <= Hint.repeatPause)
    }

    @Test func `after a callback polls that fail are backed off, and not put off to the next planned one`() throws {
        var fixture = EngineFixture { $0.callbacksEnabled = true }
        let task = fixture.runOne()
        _ = fixture.send(.hinted(task.attempt))
        var delays: [Duration] = []
        for _ in 0..<8 {
            _ = fixture.send(.polled(task.attempt, .unavailable(Failure(.providerUnavailable, "…"))))
            let before = fixture.now.uptime
            try fixture.untilPoll()
            delays.append(fixture.now.uptime - before)
        }
        #expect(delays.map(\.seconds) == [2, 4, 8, 16, 32, 60, 60, 60])
    }

    @Test func `polls that hang leave the others their turn`() throws {
        var fixture = EngineFixture()
        _ = fixture.start()
        var recovery = Recovery()
        recovery.tasks = (1...20).map { fixture.openTask(AttemptID($0), "task-\($0)") }
        _ = fixture.send(.resumed(recovery))
        fixture.pass(.seconds(5))
        let hanging = fixture.send(.tick).polls
        #expect(hanging.count == 10)
        try fixture.untilPoll(limit: .seconds(3))
    }

    @Test func `a callback that comes while a poll is under way is not answered by that poll`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        try fixture.untilPoll()
        #expect(fixture.send(.hinted(task.attempt)).polls == [], "one at a time")
        #expect(fixture.send(.polled(task.attempt, .waiting)).polls == [task.attempt])
    }

    @Test func `hinted polls keep within the polls per second`() {
        var fixture = EngineFixture { $0.pollsPerSecond = 3 }
        _ = fixture.start()
        var recovery = Recovery()
        recovery.tasks = (1...10).map { fixture.openTask(AttemptID($0), "task-\($0)") }
        _ = fixture.send(.resumed(recovery))
        var polls = 0
        for number in 1...10 { polls += fixture.send(.hinted(AttemptID(Int64(number)))).polls.count }
        #expect(polls == 3)
    }

    @Test(arguments: [(1, 6), (2, 3), (4, 1), (60, 1)])
    func `daemons that share an account share its polls per second`(members: Int, share: Int) {
        var fixture = EngineFixture { $0.pollsPerSecond = 6 }
        _ = fixture.start()
        _ = fixture.send(.members(members))
        var recovery = Recovery()
        recovery.tasks = (1...10).map { fixture.openTask(AttemptID($0), "task-\($0)") }
        _ = fixture.send(.resumed(recovery))
        var polls = 0
        for number in 1...10 { polls += fixture.send(.hinted(AttemptID(Int64(number)))).polls.count }
        #expect(polls == share)
    }

    @Test func `a callback that overtakes the answer is remembered until the acceptance is recorded`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(1, hasMore: false)
        let attempt = jobs[0].attempt
        let early = fixture.openTask(attempt, "named-by-the-callback")
        #expect(fixture.send(.hinted(attempt, candidate: early)).polls == [])
        let answered = fixture.send(.submitted(attempt, .accepted(TaskID("answered"), httpStatus: 200)))
        #expect(answered.polls == [], "not in the ledger yet")
        let effects = fixture.send(
            .recorded(.accepted(attempt, task: TaskID("answered"), httpStatus: 200), CommitResult())
        )
        #expect(effects.askedTasks == [TaskID("answered")])
    }
}
