import Testing

@testable import PromptQueue

/// The wall's clock jumps; intervals go by another one.
@Suite struct ClockTests {
    @Test func `a clock that is set forward does not open the window early`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(20)
        for job in jobs { _ = fixture.send(.submitted(job.attempt, .accepted(TaskID("x"), httpStatus: 200))) }
        fixture.now = Moment(instant: fixture.now.instant + .seconds(86_400), uptime: fixture.now.uptime)
        fixture.pass(.milliseconds(9_999))
        #expect(fixture.send(.tick).claims.isEmpty)
        fixture.pass(.milliseconds(1))
        #expect(fixture.send(.tick).claims.map(\.limit) == [20])
    }

    @Test func `the claim is told by how much the clock was set, for as long as that matters`() {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(1, hasMore: false)
        _ = fixture.send(.submitted(jobs[0].attempt, .accepted(TaskID("x"), httpStatus: 200)))
        func shift(after pause: Duration, set: Duration = .zero) -> ClockShift? {
            fixture.pass(pause)
            fixture.now.instant = fixture.now.instant + set
            var effects = fixture.send(.ledgerChanged)
            effects += fixture.send(.tick)
            let request = effects.claims.first
            if request != nil { _ = fixture.send(.claimed(Claim())) }
            return request?.clockShift
        }
        let day: Duration = .seconds(86_400)
        #expect(shift(after: .seconds(10)) == ClockShift())
        #expect(shift(after: .seconds(10), set: day) == ClockShift(forward: day))
        #expect(shift(after: .seconds(9), set: .zero - day - day) == ClockShift(forward: .zero, back: day + day))
        var settled = ClockShift(back: day + day)
        settled.answeredAfter = AttemptID(1)
        #expect(shift(after: .seconds(11)) == settled, "what was answered before holds no slot after a window")
        #expect(shift(after: .seconds(3_600)) == settled)
        settled.back = .zero
        settled.lostAfter = AttemptID(1)
        #expect(shift(after: .seconds(60)) == settled, "nothing from before is of use any more")
    }
}
