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
}
