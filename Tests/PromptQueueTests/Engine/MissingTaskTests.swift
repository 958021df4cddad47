import PromptQueue
import Testing

/// When a task that the provider does not know is given up.
struct MissingTaskTests {
    /// How long it takes after the first answer; nil if longer than `limit`.
    private func givenUp(age: Duration, within limit: Duration) throws -> Duration? {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        // Somebody sets the clock.
        fixture.now.instant = fixture.now.instant + age
        try fixture.untilPoll()
        let start = fixture.now.uptime
        while fixture.now.uptime - start < limit {
            let effects = fixture.send(.polled(task.attempt, .notFound))
            let isLost = effects.records.contains {
                if case .taskFailed(_, let failure, charged: nil, then: .fail, took: _) = $0 {
                    failure.code == .taskLost
                } else {
                    false
                }
            }
            if isLost { return fixture.now.uptime - start }
            try fixture.untilPoll(limit: .seconds(7_200))
        }
        return nil
    }

    @Test func `one answer after the clock was set to another decade is not enough`() throws {
        let time = try #require(try givenUp(age: .seconds(3_650 * 86_400), within: .seconds(3 * 86_400)))
        #expect(time >= .seconds(86_400))
    }

    @Test func `within the life of a record a task is never given up`() throws {
        #expect(try givenUp(age: .seconds(50 * 86_400), within: .seconds(9 * 86_400)) == nil)
    }

    @Test func `a task that stays unknown for minutes is noted, once, and so is its return`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        var notes: [String] = []
        let start = fixture.now.uptime
        while fixture.now.uptime - start < .seconds(600) {
            try fixture.untilPoll()
            let effects = fixture.send(.polled(task.attempt, .notFound))
            for case .progressed(_, let state) in effects.records {
                notes.append(state)
                #expect(fixture.now.uptime - start >= .seconds(120))
            }
            let isSaid = effects.contains { if case .notify(.taskMissing) = $0 { true } else { false } }
            #expect(isSaid == !effects.records.isEmpty)
        }
        #expect(notes == ["not_found"])
        try fixture.untilPoll()
        let found = fixture.send(.polled(task.attempt, .pending(providerState: "waiting")))
        guard case .progressed(task.attempt, providerState: "waiting")? = found.records.first else {
            Issue.record("its return is not noted: \(found)")
            return
        }
    }
}
