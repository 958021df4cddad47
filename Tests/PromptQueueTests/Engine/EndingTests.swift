import Testing

@testable import PromptQueue

/// A task's last word is waited for, and asked for once more before another task is paid for.
@Suite struct EndingTests {
    private static let empty = PollOutcome.failed(Failure(.emptyResult, "…"), charged: Credits(millicredits: 14_000))
    private static let picture = PollOutcome.succeeded([.file(url: "u")], charged: Credits(millicredits: 14_000))

    @Test(arguments: [empty, .succeeded([], charged: nil)])
    func `a success without a result is asked about again for minutes, and then fails for good`(
        answer: PollOutcome
    )
        throws
    {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        try fixture.untilPoll()
        let start = fixture.now.uptime
        var polls = 0
        var effects = fixture.send(.polled(task.attempt, answer))
        while effects.disposition == nil, polls < 500 {
            try fixture.untilPoll()
            polls += 1
            effects = fixture.send(.polled(task.attempt, answer))
        }
        #expect(effects.disposition == .fail, "it is paid for; trying again would pay twice")
        #expect(fixture.now.uptime - start >= Tasks.resultPatience)
        #expect(fixture.now.uptime - start < Tasks.resultPatience + .seconds(70))
        #expect((8...40).contains(polls))
    }

    @Test func `a result that comes after the word success is taken`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        try fixture.untilPoll()
        var effects = fixture.send(.polled(task.attempt, Self.empty))
        #expect(effects.disposition == nil)
        try fixture.untilPoll()
        effects = fixture.send(.polled(task.attempt, Self.picture))
        #expect(effects.hasSuccess)
    }

    private func retried(_ code: FailureCode) throws -> (EngineFixture, OpenTask) {
        var fixture = EngineFixture()
        _ = fixture.start()
        var task = fixture.openTask(AttemptID(900), "old")
        task.acceptedAt = fixture.now.instant - .seconds(86_400)
        task.endedAs = code
        var recovery = Recovery()
        recovery.tasks = [task]
        let effects = fixture.send(.resumed(recovery))
        #expect(effects.polls == [task.attempt], "at once, however old it is")
        return (fixture, task)
    }

    @Test func `what is found under an unknown name is the result when nothing better comes`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        var failure = Failure(.emptyResult, "…")
        failure.elsewhere = [.file(url: "https://x/1", role: "output")]
        let outcome = PollOutcome.failed(failure, charged: Credits(millicredits: 14_000))
        try fixture.untilPoll()
        let start = fixture.now.uptime
        var effects = fixture.send(.polled(task.attempt, outcome))
        while effects.records.isEmpty || !effects.hasSuccess, fixture.now.uptime - start < .seconds(3_600) {
            try fixture.untilPoll()
            effects = fixture.send(.polled(task.attempt, outcome))
        }
        #expect(fixture.now.uptime - start >= Tasks.resultPatience)
        guard case .taskSucceeded(task.attempt, failure.elsewhere, _, _, _, _)? = effects.records.first else {
            Issue.record("it is not taken")
            return
        }
    }

    @Test func `a task that has ended takes no place of those that run, while it is asked about once more`() {
        var fixture = EngineFixture { $0.running = 1 }
        _ = fixture.start()
        _ = fixture.claim(0, hasMore: false)
        var recovery = Recovery()
        recovery.tasks = [fixture.openTask(AttemptID(900), "old")]
        recovery.tasks[0].endedAs = .emptyResult
        _ = fixture.send(.resumed(recovery))
        #expect(fixture.send(.ledgerChanged).claims.map(\.limit) == [1])
    }

    @Test func `a job that is tried again takes the old task's result if there is one after all`() throws {
        var (fixture, task) = try retried(.taskFailed)
        #expect(fixture.send(.polled(task.attempt, Self.picture)).hasSuccess)
    }

    @Test func `a job that is tried again is sent again when its old task has failed indeed`() throws {
        var (fixture, task) = try retried(.taskFailed)
        let failed = PollOutcome.failed(Failure(.contentRefused, "…"), charged: .zero)
        #expect(
            fixture.send(.polled(task.attempt, failed)).disposition == .retry(at: fixture.now.instant, counted: false)
        )
    }

    @Test func `a job that is tried again is sent again when its failed task is not known any more`() throws {
        var (fixture, task) = try retried(.taskFailed)
        #expect(fixture.send(.polled(task.attempt, .notFound)).disposition == nil)
        fixture.pass(.seconds(11))
        #expect(fixture.send(.polled(task.attempt, .notFound)).disposition != .fail)
    }

    @Test(arguments: [
        PollOutcome.failed(Failure(.taskFailed, "…"), charged: .zero), .notFound, empty, .succeeded([], charged: nil),
    ])
    func `what has reported success once is never paid for again`(answer: PollOutcome) throws {
        var (fixture, task) = try retried(.emptyResult)
        var effects = fixture.send(.polled(task.attempt, answer))
        for _ in 0..<100 where effects.disposition == nil {
            try fixture.untilPoll()
            effects = fixture.send(.polled(task.attempt, answer))
        }
        #expect(effects.disposition == .fail)
    }
}

extension [EngineEffect] {
    fileprivate var hasSuccess: Bool {
        records.contains { if case .taskSucceeded = $0 { true } else { false } }
    }
}
