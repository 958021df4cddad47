import Testing

@testable import PromptQueue

@Suite struct PollScheduleTests {
    private let attempt = AttemptID(1)

    private func schedule(_ perSecond: Int = 10) -> PollSchedule {
        PollSchedule(pace: RateLimit(count: perSecond, window: .seconds(1)))
    }

    @Test func `a task is first asked about after two seconds`() {
        var polls = schedule()
        polls.add(attempt, age: .zero, at: .zero)
        #expect(polls.takeDue(at: .milliseconds(1_999)).isEmpty)
        #expect(polls.nextDue(at: .zero) == .seconds(2))
        #expect(polls.takeDue(at: .seconds(2)) == [attempt])
        #expect(polls.takeDue(at: .seconds(3)).isEmpty, "it is being asked about")
    }

    @Test func `a task that is older than that is asked about at once`() {
        var polls = schedule()
        polls.add(attempt, age: .seconds(60), at: .seconds(5))
        #expect(polls.takeDue(at: .seconds(5)) == [attempt])
    }

    @Test func `the delays grow by half up to ten seconds, then with the task's age, to an hour at most`() {
        #expect(PollSchedule.delay(polls: 1, age: .seconds(2)) == .seconds(3))
        #expect(PollSchedule.delay(polls: 2, age: .seconds(5)) == .milliseconds(4_500))
        #expect(PollSchedule.delay(polls: 5, age: .seconds(40)) == .seconds(10))
        #expect(PollSchedule.delay(polls: 90, age: .seconds(900)) == .seconds(30))
        #expect(PollSchedule.delay(polls: 900, age: .seconds(86_400 * 30)) == .seconds(3_600))
    }

    @Test func `all tasks together keep the pace`() {
        var polls = schedule(3)
        for id in 1...10 { polls.add(AttemptID(Int64(id)), age: .seconds(5), at: .zero) }
        let first = polls.takeDue(at: .zero)
        #expect(first.count == 3)
        for attempt in first { polls.answered(attempt, age: .seconds(5), at: .milliseconds(200)) }
        #expect(polls.takeDue(at: .milliseconds(1_199)).isEmpty)
        #expect(polls.nextDue(at: .milliseconds(300)) == .milliseconds(1_200))
        #expect(polls.takeDue(at: .milliseconds(1_200)).count == 3)
    }

    @Test func `a hint makes the next poll due now, unless one is under way`() {
        var polls = schedule()
        polls.add(attempt, age: .zero, at: .zero)
        polls.hurry(attempt, at: .milliseconds(500))
        #expect(polls.takeDue(at: .milliseconds(500)) == [attempt])
        polls.hurry(attempt, at: .milliseconds(600))
        #expect(polls.takeDue(at: .milliseconds(600)).isEmpty)
        polls.answered(attempt, age: .seconds(1), at: .milliseconds(700))
        #expect(polls.takeDue(at: .milliseconds(3_699)).isEmpty)
        #expect(polls.takeDue(at: .milliseconds(3_700)) == [attempt])
    }

    @Test func `a task that has ended is not asked about again`() {
        var polls = schedule()
        polls.add(attempt, age: .zero, at: .zero)
        polls.remove(attempt)
        #expect(polls.takeDue(at: .seconds(100)).isEmpty)
        #expect(polls.nextDue(at: .seconds(100)) == nil)
    }
}
