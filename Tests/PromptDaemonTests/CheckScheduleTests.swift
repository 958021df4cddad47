import PromptQueue
import Testing

@testable import PromptDaemon

/// When the watcher looks for foreign commits.
@Suite struct CheckScheduleTests {
    /// Carries out the looks that are due until `end`, or until there are none; when they were, in milliseconds.
    private func looks(_ plan: inout CheckSchedule, until end: Duration = .seconds(100)) -> [Int64] {
        var times: [Int64] = []
        while let next = plan.next, next <= end {
            plan.looked(at: next)
            times.append(next.milliseconds)
        }
        return times
    }

    @Test(arguments: [false, true])
    func `after a write there are looks for a tenth of a second and more, and then none`(isOwn: Bool) {
        var plan = CheckSchedule()
        #expect(plan.next == nil)
        plan.written(at: .zero, isOwn: isOwn)
        let times = looks(&plan)
        #expect(times.first == 0)
        #expect(times.last ?? 0 >= 135)
        #expect(times.count <= 16)
        #expect(plan.next == nil, "nothing to do while nobody writes")
        // A commit that counts at any time after its write is found before it is three times as old.
        for (earlier, later) in zip(times, times.dropFirst()) { #expect(later <= max(3 * earlier, earlier + 6)) }
    }

    @Test func `a foreign write is looked for densely`() {
        var plan = CheckSchedule()
        plan.written(at: .zero, isOwn: false)
        #expect(looks(&plan, until: .milliseconds(10)) == [0, 1, 2, 3, 4, 6, 8, 10])
    }

    @Test(arguments: [false, true])
    func `own commits under load bring no more than a look every five milliseconds`(isOwn: Bool) {
        var plan = CheckSchedule()
        var times: [Int64] = []
        for millisecond in 0..<1_000 {
            plan.written(at: .milliseconds(millisecond), isOwn: isOwn)
            times += looks(&plan, until: .milliseconds(millisecond))
        }
        #expect(times.count <= 210, "\(times.count)")
        #expect(times.count >= 190)
        #expect((looks(&plan).last ?? 0) >= 1_100, "the last write is followed for long, too")
    }

    @Test func `a write in a long pause is looked at at once`() {
        var plan = CheckSchedule()
        plan.written(at: .zero, isOwn: true)
        _ = looks(&plan, until: .milliseconds(80))
        plan.written(at: .milliseconds(90), isOwn: false)
        #expect(plan.isDue(at: .milliseconds(90)))
    }
}
