import PromptQueue

/// promptd's own schedule, run as the engine runs it, without a limit of its pace.
package struct LearntPolicy: Sendable {
    /// How many seconds of delay are worth one poll: what the sweep changes.
    package let secondsPerPoll: Double
    /// Tasks that ended before the first that counts.
    package let warmUp: Int

    package init(secondsPerPoll: Double = PollPlan.secondsPerPoll, warmUp: Int = 0) {
        self.secondsPerPoll = secondsPerPoll
        self.warmUp = warmUp
    }

    /// Tasks start one a second, each with its time; what one teaches, the next ones know.
    package func outcome(_ times: [Double]) -> Outcome {
        let key = CompletionKey(model: "m", profile: "")
        var polls = PollSchedule(
            pace: RateLimit(count: 1_000_000, window: .milliseconds(1)),
            history: CompletionHistory(secondsPerPoll: secondsPerPoll)
        )
        polls.learn(times.prefix(warmUp).map { CompletedTask(key: key, took: .seconds($0)) })
        let counted = Array(times.dropFirst(warmUp))
        var delays: [Double] = []
        var count = 0
        var next = 0
        var now: Duration = .zero
        while delays.count < counted.count {
            let start: Duration? = next < counted.count ? .seconds(next) : nil
            guard let time = [start, polls.nextDue(at: now)].compactMap(\.self).min() else { break }
            now = time
            if start == now {
                polls.add(AttemptID(Int64(next)), key: key, age: .zero, at: now)
                next += 1
            }
            for attempt in polls.takeDue(at: now) {
                count += 1
                let index = Int(attempt.rawValue)
                let age = (now - .seconds(index)).seconds
                if age < counted[index] {
                    polls.wasRunning(attempt, at: now)
                } else {
                    polls.ended(attempt, took: .seconds(counted[index]), at: now)
                    delays.append(age - counted[index])
                }
            }
        }
        return Outcome(polls: count, delays: delays)
    }
}
