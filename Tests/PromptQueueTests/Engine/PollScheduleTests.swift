import Testing

@testable import PromptQueue

@Suite struct PollScheduleTests {
    private let attempt = AttemptID(1)
    private let key = CompletionKey(model: "m", profile: "")

    private func schedule(_ perSecond: Int = 10, known: [Int] = []) -> PollSchedule {
        var polls = PollSchedule(pace: RateLimit(count: perSecond, window: .seconds(1)))
        polls.learn(known.map { CompletedTask(key: key, took: .seconds($0)) })
        return polls
    }

    @Test func `a task of an unknown kind is asked about after 2 s, then after delays that grow by half up to 10 s`() {
        var polls = schedule()
        polls.add(attempt, key: key, age: .zero, at: .zero)
        var now: Duration = .zero
        var delays: [Double] = []
        for _ in 0..<7 {
            let due = polls.nextDue(at: now) ?? .zero
            let early = polls.takeDue(at: due - .milliseconds(1))
            let taken = polls.takeDue(at: due)
            #expect(early.isEmpty)
            #expect(taken == [attempt])
            delays.append((due - now).seconds)
            now = due
            polls.wasRunning(attempt, at: now)
        }
        #expect(delays == [2, 3, 4.5, 6.75, 10, 10, 10])
    }

    @Test func `a task that is older than that is asked about at once`() {
        var polls = schedule()
        polls.add(attempt, key: key, age: .seconds(60), at: .seconds(5))
        let due = polls.takeDue(at: .seconds(5))
        #expect(due == [attempt])
    }

    @Test func `all tasks together keep the pace`() {
        var polls = schedule(3)
        for id in 1...10 { polls.add(AttemptID(Int64(id)), key: key, age: .seconds(5), at: .zero) }
        let first = polls.takeDue(at: .zero)
        #expect(first.count == 3)
        for attempt in first { polls.wasRunning(attempt, at: .milliseconds(200)) }
        let early = polls.takeDue(at: .milliseconds(1_199))
        let next = polls.nextDue(at: .milliseconds(300))
        let second = polls.takeDue(at: .milliseconds(1_200))
        #expect(early.isEmpty)
        #expect(next == .milliseconds(1_200))
        #expect(second.count == 3)
    }

    @Test func `with far more tasks than the pace allows, none starves`() {
        var polls = schedule(5)
        for id in 0..<200 { polls.add(AttemptID(Int64(id)), key: key, age: .zero, at: .zero) }
        var counts = [Int](repeating: 0, count: 200)
        var sent: [Duration] = []
        var now: Duration = .zero
        while now < .seconds(400) {
            guard let due = polls.nextDue(at: now) else { break }
            now = max(now, due)
            for attempt in polls.takeDue(at: now) {
                counts[Int(attempt.rawValue)] += 1
                sent.append(now)
                polls.wasRunning(attempt, at: now)
            }
        }
        // 400 s at 5 a second are 10 polls for each of the 200.
        #expect(counts.min() ?? 0 >= 9)
        #expect(counts.max() ?? 0 <= 11)
        for (index, time) in sent.enumerated().dropFirst(5) { #expect(time - sent[index - 5] >= .seconds(1)) }
    }

    @Test func `polls that hang do not keep the others waiting`() {
        var polls = schedule(10)
        for id in 1...20 { polls.add(AttemptID(Int64(id)), key: key, age: .seconds(5), at: .zero) }
        let hanging = polls.takeDue(at: .zero)
        #expect(hanging.count == 10)
        let next = polls.nextDue(at: .zero)
        #expect(next == PollSchedule.patience)
        let early = polls.takeDue(at: .milliseconds(1_999))
        #expect(early.isEmpty)
        let others = polls.takeDue(at: .seconds(2))
        #expect(others.count == 10)
        #expect(Set(others).isDisjoint(with: hanging))
        // Answers that come after all free no slot a second time.
        for attempt in hanging { polls.wasRunning(attempt, at: .milliseconds(2_100)) }
        let more = polls.takeDue(at: .milliseconds(3_999))
        #expect(more.isEmpty, "ten are under way")
    }

    @Test func `an answer within two seconds frees its slot a second later, not before`() {
        var polls = schedule(1)
        for id in 1...2 { polls.add(AttemptID(Int64(id)), key: key, age: .seconds(5), at: .zero) }
        let first = polls.takeDue(at: .zero)
        polls.wasRunning(first[0], at: .milliseconds(1_900))
        let early = polls.takeDue(at: .milliseconds(2_899))
        let second = polls.takeDue(at: .milliseconds(2_900))
        #expect(early.isEmpty)
        #expect(second.count == 1)
    }

    @Test func `polls that hang for ever do not pile up`() {
        var polls = schedule(10)
        for id in 1...200 { polls.add(AttemptID(Int64(id)), key: key, age: .seconds(5), at: .zero) }
        var hanging: [AttemptID] = []
        for second in 0..<60 { hanging += polls.takeDue(at: .seconds(second)) }
        #expect(hanging.count == PollSchedule.concurrency)
        let next = polls.nextDue(at: .seconds(60))
        #expect(next == nil, "only an answer helps")
        polls.failed(hanging[0], at: .seconds(60))
        let freed = polls.takeDue(at: .seconds(60))
        #expect(freed.count == 1)
    }

    @Test func `what need not be asked gives its slot back`() {
        var polls = schedule(1)
        for id in 1...2 { polls.add(AttemptID(Int64(id)), key: key, age: .seconds(5), at: .zero) }
        let first = polls.takeDue(at: .zero)
        polls.wasNotAsked(first[0])
        let second = polls.takeDue(at: .zero)
        #expect(second.count == 1)
        #expect(second != first)
    }

    @Test func `a hint makes the next poll due now, before what is merely due`() {
        var polls = schedule(1)
        polls.add(AttemptID(2), key: key, age: .seconds(60), at: .zero)
        polls.add(attempt, key: key, age: .zero, at: .zero)
        polls.hurry(attempt, at: .milliseconds(500))
        let due = polls.takeDue(at: .milliseconds(500))
        #expect(due == [attempt])
    }

    @Test func `a hint that comes while its task is being asked about is followed by another poll`() {
        var polls = schedule()
        polls.add(attempt, key: key, age: .zero, at: .zero)
        polls.hurry(attempt, at: .milliseconds(500))
        _ = polls.takeDue(at: .milliseconds(500))
        polls.hurry(attempt, at: .milliseconds(600))
        let meanwhile = polls.takeDue(at: .milliseconds(600))
        polls.wasRunning(attempt, at: .milliseconds(700))
        let again = polls.takeDue(at: .milliseconds(700))
        polls.wasRunning(attempt, at: .milliseconds(800))
        let third = polls.takeDue(at: .milliseconds(900))
        #expect(meanwhile.isEmpty)
        #expect(again == [attempt])
        #expect(third.isEmpty, "one hint, one poll")
    }

    @Test func `a task that has ended is not asked about again`() {
        var polls = schedule()
        polls.add(attempt, key: key, age: .zero, at: .zero)
        polls.remove(attempt)
        let due = polls.takeDue(at: .seconds(100))
        let next = polls.nextDue(at: .seconds(100))
        #expect(due.isEmpty)
        #expect(next == nil)
    }

    @Test func `nothing is asked before the fastest ever seen`() {
        var polls = schedule(known: [30, 25, 41, 33, 28, 29, 35, 30, 31, 27, 26])
        polls.add(attempt, key: key, age: .zero, at: .seconds(100))
        let due = polls.nextDue(at: .seconds(100)) ?? .zero
        #expect(due - .seconds(100) >= .seconds(25))
        #expect(due - .seconds(100) < .seconds(45))
    }

    @Test func `what is learnt while running is used for the next task`() {
        var polls = schedule()
        for id in 1...20 {
            let attempt = AttemptID(Int64(id))
            let start = Duration.seconds(id * 1_000)
            polls.add(attempt, key: key, age: .zero, at: start)
            _ = polls.takeDue(at: start + .seconds(50))
            let took = polls.ended(attempt, took: .milliseconds(40_000 + 100 * id), at: start + .seconds(50))
            #expect(took == .milliseconds(40_000 + 100 * id))
        }
        polls.add(attempt, key: key, age: .zero, at: .seconds(50_000))
        let due = polls.nextDue(at: .seconds(50_000)) ?? .zero
        #expect(due - .seconds(50_000) >= .seconds(40))
        let other = CompletionKey(model: "other", profile: "")
        polls.add(AttemptID(99), key: other, age: .zero, at: .seconds(50_000))
        let cold = polls.nextDue(at: .seconds(50_000))
        #expect(cold == .seconds(50_002), "another model is another matter")
    }

    @Test func `without the provider's word the middle between two polls counts`() {
        var polls = schedule()
        polls.add(attempt, key: key, age: .zero, at: .zero)
        _ = polls.takeDue(at: .seconds(10))
        polls.wasRunning(attempt, at: .seconds(10))
        _ = polls.takeDue(at: .seconds(20))
        let took = polls.ended(attempt, took: nil, at: .seconds(20))
        #expect(took == .seconds(15))
    }

    @Test func `polls that fail are backed off, to a minute at most, and an answer ends that`() {
        var polls = schedule()
        polls.add(attempt, key: key, age: .seconds(20), at: .zero)
        var now: Duration = .zero
        var delays: [Double] = []
        for _ in 0..<8 {
            _ = polls.takeDue(at: now)
            polls.failed(attempt, at: now)
            let due = polls.nextDue(at: now) ?? .zero
            delays.append((due - now).seconds)
            now = due
        }
        #expect(delays == [10, 10, 10, 16, 32, 60, 60, 60])
        _ = polls.takeDue(at: now)
        polls.wasRunning(attempt, at: now)
        let due = polls.nextDue(at: now) ?? .zero
        #expect(due - now <= .seconds(15))
    }

    @Test func `the end of what made polls fail makes them due by the plan, never later than they were`() {
        var polls = schedule()
        polls.add(attempt, key: key, age: .seconds(20), at: .zero)
        var now: Duration = .zero
        for _ in 0..<5 {
            _ = polls.takeDue(at: now)
            polls.failed(attempt, at: now)
            now = polls.nextDue(at: now) ?? now
        }
        // Backed off by 32 s; the plan asks each 10 s at this age.
        let before = now
        polls.endBackoff(at: now - .seconds(15))
        let hastened = polls.nextDue(at: now - .seconds(15)) ?? .zero
        #expect(hastened < before)
        let due = polls.takeDue(at: hastened)
        #expect(due == [attempt])
        polls.failed(attempt, at: hastened)
        let next = polls.nextDue(at: hastened) ?? .zero
        #expect(next - hastened >= .seconds(60), "another failure backs off further")
        // What is due already keeps its place.
        polls.add(AttemptID(99), key: key, age: .seconds(20), at: next - .seconds(30))
        polls.endBackoff(at: next + .seconds(5))
        #expect(polls.nextDue(at: next - .seconds(60)) ?? .zero <= next)
    }

    @Test func `a refusal for too many polls holds all of them back, and a second one longer`() {
        var polls = schedule()
        for id in 1...3 { polls.add(AttemptID(Int64(id)), key: key, age: .seconds(5), at: .zero) }
        var now: Duration = .zero
        for pause in [1, 2, 4, 8] {
            for attempt in polls.takeDue(at: now) {
                polls.pause(at: now)
                polls.failed(attempt, at: now)
            }
            for id in 1...3 { polls.hurry(AttemptID(Int64(id)), at: now) }
            let early = polls.takeDue(at: now + .seconds(pause) - .milliseconds(1))
            #expect(early.isEmpty)
            now += .seconds(pause)
            let next = polls.nextDue(at: now)
            #expect(next == now)
        }
    }

    @Test func `with callbacks a task that behaves is hardly asked about`() {
        var polls = schedule(known: (0..<100).map { 20 + $0 % 10 })
        polls.expectsCallbacks = true
        polls.add(attempt, key: key, age: .zero, at: .zero)
        let due = polls.nextDue(at: .zero) ?? .zero
        #expect(due > .seconds(29), "later than any seen")
        #expect(due < .seconds(300), "but the net is there")
    }

    @Test func `callbacks that stay away are not relied on for long`() {
        var polls = schedule(known: (0..<100).map { 20 + $0 % 10 })
        polls.add(AttemptID(1_000), key: key, age: .zero, at: .zero)
        let plain = polls.nextDue(at: .zero) ?? .zero
        polls.remove(AttemptID(1_000))
        polls.expectsCallbacks = true
        var now: Duration = .zero
        for id in 1...200 {
            let attempt = AttemptID(Int64(id))
            let start = now
            polls.add(attempt, key: key, age: .zero, at: now)
            repeat {
                now = polls.nextDue(at: now) ?? now
                _ = polls.takeDue(at: now)
                if now - start < .seconds(25) { polls.wasRunning(attempt, at: now) }
            } while now - start < .seconds(25)
            polls.ended(attempt, took: .seconds(25), at: now)
        }
        let start = now
        polls.add(AttemptID(1_000), key: key, age: .zero, at: start)
        let due = (polls.nextDue(at: start) ?? .zero) - start
        #expect(due < plain + .seconds(20))
    }

    @Test func `what was superseded does not pile up`() {
        var polls = schedule(1_000_000)
        for id in 1...20_000 {
            polls.add(AttemptID(Int64(id)), key: key, age: .zero, at: .zero)
            polls.remove(AttemptID(Int64(id)))
        }
        #expect(polls.queueLength < 3_000)
    }
}
