import Testing

@testable import PromptQueue

@Suite struct RateWindowTests {
    @Test func `a slot is freed one window after its answer, not after its sending`() {
        var window = RateWindow(limit: RateLimit(count: 1, window: .seconds(10)))
        window.send()
        #expect(window.available(at: .seconds(60)) == 0)
        window.answer(at: .seconds(60))
        #expect(window.available(at: .milliseconds(69_999)) == 0)
        #expect(window.available(at: .seconds(70)) == 1)
    }

    @Test func `it says when the next slot becomes free`() {
        var window = RateWindow(limit: RateLimit(count: 2, window: .seconds(10)))
        #expect(window.nextAvailable(at: .zero) == nil)
        window.send()
        window.send()
        #expect(window.nextAvailable(at: .zero) == nil)
        window.answer(at: .seconds(1))
        window.answer(at: .seconds(2))
        #expect(window.nextAvailable(at: .seconds(3)) == .seconds(11))
    }

    @Test func `slots of an earlier process stay busy`() {
        var window = RateWindow(limit: RateLimit(count: 2, window: .seconds(10)))
        window.occupy(until: .seconds(9))
        window.occupy(until: .seconds(4))
        #expect(window.available(at: .seconds(3)) == 0)
        #expect(window.available(at: .seconds(4)) == 1)
        #expect(window.available(at: .seconds(9)) == 2)
    }

    @Test func `a new limit holds at once, for busy slots too`() {
        var window = RateWindow(limit: RateLimit(count: 2, window: .seconds(10)))
        window.occupy(until: .seconds(10))
        window.change(to: RateLimit(count: 1, window: .seconds(60)))
        #expect(window.available(at: .seconds(59)) == 0)
        #expect(window.available(at: .seconds(60)) == 1)
    }

    @Test func `a refusal halves the allowance, and each whole window without one adds one`() {
        var window = RateWindow(limit: RateLimit(count: 20, window: .seconds(10)))
        let first = window.refuse(at: .zero)
        #expect(first == RateLimit(count: 20, window: .seconds(10)))
        let second = window.refuse(at: .seconds(1))
        #expect(second == nil, "they were sent together")
        #expect(window.available(at: .milliseconds(10_999)) == 0)
        #expect(window.available(at: .seconds(11)) == 10)
        #expect(window.wholeAt == .seconds(111))
        var hasGrown = window.recover(at: .milliseconds(20_999))
        #expect(!hasGrown)
        hasGrown = window.recover(at: .seconds(21))
        #expect(hasGrown)
        #expect(window.available(at: .seconds(21)) == 11)
        hasGrown = window.recover(at: .seconds(45))
        #expect(hasGrown)
        #expect(window.available(at: .seconds(45)) == 13)
        let third = window.refuse(at: .seconds(46))
        #expect(third == RateLimit(count: 13, window: .seconds(10)))
        #expect(window.available(at: .seconds(56)) == 6)
        window.recover(at: .seconds(1_000))
        #expect(window.isWhole)
        #expect(window.available(at: .seconds(1_000)) == 20)
    }

    @Test func `the allowance never falls below one, and waits for more slots when it is shrunk`() {
        var window = RateWindow(limit: RateLimit(count: 4, window: .seconds(10)))
        for second in 1...4 {
            window.send()
            window.answer(at: .seconds(second))
        }
        _ = window.refuse(at: .seconds(4))
        // Two are allowed, so three of the four have to become free.
        #expect(window.nextAvailable(at: .seconds(5)) == .seconds(14))
        _ = window.refuse(at: .seconds(14))
        _ = window.refuse(at: .seconds(24))
        #expect(window.allowance == 1)
        let last = window.refuse(at: .seconds(34))
        #expect(last == nil)
    }

    @Test func `a new limit holds for a shrunk window, too`() {
        var window = RateWindow(limit: RateLimit(count: 20, window: .seconds(10)))
        _ = window.refuse(at: .zero)
        window.change(to: RateLimit(count: 5, window: .seconds(10)))
        #expect(window.available(at: .seconds(10)) == 5)
        window.change(to: RateLimit(count: 30, window: .seconds(10)))
        #expect(window.available(at: .seconds(10)) == 30)
    }

    @Test func `shutting keeps the window shut for its whole length`() {
        var window = RateWindow(limit: RateLimit(count: 5, window: .seconds(10)))
        window.shut(at: .seconds(1))
        #expect(window.available(at: .milliseconds(10_999)) == 0)
        #expect(window.nextAvailable(at: .seconds(2)) == .seconds(11))
        #expect(window.available(at: .seconds(11)) == 5)
    }

    /// Whatever the delays of the network, no window at the server holds more arrivals than the limit.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func `no window at the server holds more than the limit`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let limit = RateLimit(count: 20, window: .seconds(10))
        var window = RateWindow(limit: limit)
        var now = Duration.zero
        var underWay: [(arrives: Duration, answered: Duration)] = []
        var arrivals: [Duration] = []
        for _ in 0..<2_000 {
            now += .milliseconds(Int64.random(in: 0...400, using: &random))
            for request in underWay where request.answered <= now { window.answer(at: request.answered) }
            underWay.removeAll { $0.answered <= now }
            for _ in 0..<window.available(at: now) {
                window.send()
                let arrives = now + .milliseconds(Int64.random(in: 0...5_000, using: &random))
                let answered = arrives + .milliseconds(Int64.random(in: 0...5_000, using: &random))
                underWay.append((arrives, answered))
                arrivals.append(arrives)
            }
        }
        arrivals.sort()
        for (index, arrival) in arrivals.enumerated().dropFirst(limit.count) {
            #expect(arrival - arrivals[index - limit.count] >= limit.window, "seed \(seed)")
        }
        #expect(arrivals.count > 500)
    }
}
