import Testing

@testable import PromptQueue

/// How many requests are in doubt when answers begin to be lost.
@Suite struct SubmissionRampTests {
    private static let accepted = SubmissionOutcome.accepted(TaskID("t"), httpStatus: 200)
    private static let lost = SubmissionOutcome.unknown(Failure(.answerLost, "HTTP 502"))

    private func fixture() -> EngineFixture {
        EngineFixture {
            $0.firstSubmissions = 1
            $0.running = 1_000
        }
    }

    @Test func `the first request goes alone, and answers let ever more go at once`() {
        var fixture = fixture()
        var limits = [fixture.start().claimLimit ?? 0]
        for _ in 0..<4 {
            let (jobs, effects) = fixture.claim(limits.last ?? 0)
            // While a claim is out, answers claim nothing.
            var seen = [effects.claimLimit]
            for job in jobs { seen.append(fixture.send(.submitted(job.attempt, Self.accepted)).claimLimit) }
            limits += seen.compactMap(\.self)
        }
        #expect(limits.first == 1)
        #expect(limits.dropFirst().first == 2, "\(limits)")
        #expect(limits.last ?? 0 > 2)
        #expect(limits == limits.sorted())
    }

    @Test func `once an answer is lost at most one request is in doubt at a time`() {
        var fixture = fixture()
        var effects = fixture.start()
        var inDoubt = 0
        for _ in 0..<60 {
            if let limit = effects.claimLimit {
                #expect(limit == 1)
                let (jobs, _) = fixture.claim(1)
                inDoubt += 1
                effects = fixture.send(.submitted(jobs[0].attempt, Self.lost))
                #expect(effects.claimLimit == nil)
            }
            fixture.pass(.seconds(1))
            effects = fixture.send(.tick)
        }
        #expect(inDoubt > 2)
        #expect(inDoubt < 9, "a minute of 502 costs a handful of answers, not windows of them")
    }

    /// A provider that answers after half a second, and from some moment on not at all.
    @Test(arguments: [3, 7, 30, 61])
    func `at full pace no more answers are lost together than a window has slots, and then one at a time`(
        seconds: Int
    ) {
        var fixture = fixture()
        let start = fixture.now.uptime
        let end = start + .seconds(seconds)
        var underWay: [(attempt: AttemptID, due: Duration)] = []
        var limit = fixture.start().claimLimit
        var lostTogether: Int?
        var most = 0
        while fixture.now.uptime < end + .seconds(120) {
            let isLost = fixture.now.uptime >= end
            if isLost, lostTogether == nil { lostTogether = underWay.count }
            for request in underWay where request.due <= fixture.now.uptime {
                let effects = fixture.send(.submitted(request.attempt, isLost ? Self.lost : Self.accepted))
                limit = effects.claimLimit ?? limit
            }
            underWay.removeAll { $0.due <= fixture.now.uptime }
            if let count = limit {
                let (jobs, effects) = fixture.claim(count)
                limit = effects.claimLimit
                underWay += jobs.map { ($0.attempt, fixture.now.uptime + .milliseconds(500)) }
            } else {
                var effects = fixture.send(.tick)
                if effects.asksForBalance {
                    effects += fixture.send(.balanceUnknown(Failure(.providerUnavailable, "…")))
                }
                limit = effects.claimLimit
            }
            if fixture.now.uptime > end + .seconds(1) { most = max(most, underWay.count) }
            fixture.pass(.milliseconds(50))
        }
        #expect((0...20).contains(lostTogether ?? -1))
        #expect(most == 1, "once answers are lost, one at a time")
    }

    @Test func `what was known before an idle time counts no longer`() {
        var ramp = SubmissionRamp(first: 1)
        for _ in 0..<9 { ramp.answered(at: .seconds(1)) }
        #expect(ramp.available(underWay: 0, at: .seconds(2)) == 10)
        #expect(ramp.available(underWay: 4, at: .seconds(60)) == 6, "while some are under way it holds")
        #expect(ramp.available(underWay: 0, at: .seconds(60)) == 1)
    }
}

extension [EngineEffect] {
    fileprivate var claimLimit: Int? {
        compactMap { if case .claim(let request) = $0 { request.limit } else { nil } }.last
    }
}
