import Testing

@testable import PromptQueue

/// What is learnt of how long tasks take.
@Suite struct CompletionTests {
    private let key = CompletionKey(model: "m", profile: "resolution=1k")

    private func history(_ seconds: [Double], _ key: CompletionKey? = nil) -> CompletionHistory {
        var history = CompletionHistory()
        history.learn(seconds.map { CompletedTask(key: key ?? self.key, took: .seconds($0)) })
        return history
    }

    @Test func `buckets are in order, without gaps, and found by their times`() {
        for bucket in 0..<TimeScale.count {
            #expect(TimeScale.edges[bucket] < TimeScale.edges[bucket + 1])
            #expect(TimeScale.bucket(TimeScale.edges[bucket]) == bucket)
            #expect(TimeScale.bucket((TimeScale.edges[bucket] + TimeScale.edges[bucket + 1]) / 2) == bucket)
        }
        #expect(TimeScale.edges[TimeScale.count] > 60 * 86_400)
        #expect(TimeScale.bucket(-1) == 0)
        #expect(TimeScale.bucket(.infinity) == TimeScale.count - 1)
    }

    @Test func `running tasks count: without them the curve would forget the slow ones`() throws {
        var known = CompletionTimes()
        var blind = CompletionTimes()
        for _ in 0..<50 {
            known.ended(.exactly(10), lastSeenRunning: 0)
            blind.ended(.exactly(10), lastSeenRunning: 0)
            // Every other task still runs after a minute.
            known.wasRunning(from: 0, to: 60)
        }
        let quantile = try #require(SurvivalCurve(known)).quantile(0.6)
        #expect(quantile > 60)
        #expect(try #require(SurvivalCurve(blind)).quantile(0.6) < 12)
        let half = try #require(SurvivalCurve(known)).quantile(0.45)
        #expect(half < 12)
    }

    @Test func `the curve finds the quantiles of what it saw, and what is left at an age`() throws {
        var random = SeededGenerator(seed: 3)
        var history = history((0..<400).map { _ in Double.random(in: 20..<40, using: &random) })
        let found = history.curve(for: key)
        let curve = try #require(found)
        #expect(abs(curve.quantile(0.5) - 30) < 3)
        #expect(abs(curve.quantile(0.9) - 38) < 3)
        #expect(curve.quantile(0.5, age: 35) > 35)
        #expect(curve.quantile(0.5, age: 35) < 40)
        #expect(curve.quantile(0.5, age: 1_000) > 1_200, "who outlives all may live long")
    }

    @Test func `a change of the provider's speed is followed, both ways`() throws {
        for (before, after) in [(60.0, 12.0), (12.0, 60.0)] {
            var history = history((0..<300).map { before + Double($0 % 7) })
            history.learn((0..<300).map { CompletedTask(key: key, took: .seconds(after + Double($0 % 3))) })
            let curve = history.curve(for: key)
            let median = try #require(curve).quantile(0.5)
            #expect(abs(median - after - 1) < 4, "\(median)")
        }
    }

    @Test func `a profile that is new borrows from its model`() {
        var history = history((0..<50).map { 30 + Double($0 % 5) })
        let fresh = CompletionKey(model: "m", profile: "resolution=4k")
        let fromModel = history.plan(for: fresh).next(after: 0)
        #expect(fromModel >= 30)
        let ofOtherModel = history.plan(for: CompletionKey(model: "n", profile: "")).next(after: 0)
        #expect(ofOtherModel == 2)
    }

    @Test func `each profile has times of its own once it is known`() {
        var history = history((0..<50).map { 30 + Double($0 % 5) })
        let slow = CompletionKey(model: "m", profile: "resolution=4k")
        history.learn((0..<50).map { CompletedTask(key: slow, took: .seconds(100 + Double($0 % 9))) })
        let slowFirst = history.plan(for: slow).next(after: 0)
        #expect(slowFirst >= 100)
        let quickFirst = history.plan(for: key).next(after: 0)
        #expect((30..<40).contains(quickFirst))
    }

    @Test func `a few samples are mixed with the fallback schedule`() {
        for count in 1..<8 {
            let plain = CompletionKey(model: "m", profile: "")
            var history = history([Double](repeating: 100, count: count), plain)
            let first = history.plan(for: plain).next(after: 0)
            #expect((1.5...80).contains(first), "\(count): \(first)")
        }
        var known = history([Double](repeating: 100, count: 12))
        let first = known.plan(for: key).next(after: 0)
        #expect(first >= 100)
    }

    @Test(arguments: [1, 2, 3, 4, 5])
    func `a plan moves on, never too fast, never for more than an hour, and ever more rarely in the end`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let median = Double.random(in: 1..<400, using: &random)
        let count = Int.random(in: 0..<300, using: &random)
        var history = history((0..<count).map { _ in median * Double.random(in: 0.5..<2, using: &random) })
        let plan = history.plan(for: key)
        var age = 0.0
        var delays: [Double] = []
        while age < 60 * 86_400 {
            let next = plan.next(after: age)
            #expect(next - age >= PollPlan.shortestDelay - 1e-6)
            #expect(age == 0 || next - age <= PollPlan.longestDelay + 1e-6)
            if age > 10 * median, age > 400 { delays.append(next - age) }
            age = next
        }
        // The sums are kept in steps, hence the tolerance.
        for (one, next) in zip(delays, delays.dropFirst()) { #expect(next >= one * 0.9) }
        #expect(delays.last ?? 0 > 600)
        for age in stride(from: 0.5, to: 5_000, by: 7) { #expect(plan.next(after: age + 7) >= plan.next(after: age)) }
    }

    @Test func `a provider that is quicker than ever is found out, even if it tells no times`() {
        var history = history((0..<100).map { 60 + Double($0 % 5) })
        for _ in 0..<300 {
            let asked = history.plan(for: key).next(after: 0)
            history.ended(key, .between(lastSeenRunning: 0, ended: asked), lastSeenRunning: 0)
        }
        let first = history.plan(for: key).next(after: 0)
        #expect(first < 30)
    }

    @Test func `more profiles than can be remembered push out the oldest`() {
        var history = CompletionHistory()
        for number in 0...CompletionHistory.maximumProfiles {
            let key = CompletionKey(model: "m\(number)", profile: "n=1")
            history.learn((0..<9).map { _ in CompletedTask(key: key, took: .seconds(20)) })
        }
        let forgotten = CompletionKey(model: "m0", profile: "n=1")
        let first = history.plan(for: forgotten).next(after: 0)
        #expect(first >= 20, "its model is still known")
    }

    @Test func `the profile holds what matters for the time, in one form`() {
        let input: JSONObject = [
            "prompt": .string("a fox"), "resolution": .string("4K"), "duration": .string("5"), "seed": .integer(7),
            "n": .number(2), "sound": .bool(false), "image_urls": .array([]),
        ]
        #expect(CompletionProfile.text(of: input) == "duration=5 n=2 resolution=4k")
        #expect(CompletionProfile.text(of: ["duration": .integer(5)]) == "duration=5")
        #expect(CompletionProfile.text(of: ["text": .string(String(repeating: "a", count: 300))]) == "text<512")
        #expect(CompletionProfile.text(of: ["prompt": .string("x")]).isEmpty)
    }
}
