/// When to ask about tasks of one kind, by their age.
///
/// If a poll costs `a`, and each second that a finished task stays unnoticed costs `b`, then the least is spent on average
/// by asking with a density proportional to the square root of the hazard rate: √(hazard · b / 2a) polls per second
/// (Keller, "Optimum checking schedules for systems subject to random failure", Management Science 21, 1974; Kaio and
/// Osaki, "Some remarks on optimum inspection policies", IEEE Transactions on Reliability 33, 1984). The plan holds that
/// density summed up; the next poll is due where the sum has grown by one.
package struct PollPlan: Sendable {
    /// How many seconds of delay are worth one poll: `a / b`.
    package static let secondsPerPoll = 1.0
    package static let shortestDelay = 0.5
    package static let longestDelay = 3_600.0
    /// From so many completions on, what was learnt counts alone.
    static let enoughSamples = 8.0

    /// Polls from the age 0 to each edge of `TimeScale`.
    private var polls: [Double]
    /// In seconds; 0 while few were seen.
    private var notBefore: Double
    private var isCold: Bool

    static let cold = PollPlan(polls: FallbackSchedule.polls, notBefore: 0, isCold: true)

    private init(polls: [Double], notBefore: Double, isCold: Bool) {
        self.polls = polls
        self.notBefore = notBefore
        self.isCold = isCold
    }

    /// Made from what was learnt, as far as it goes; `fallback` fills up what is missing.
    init(_ curve: SurvivalCurve, secondsPerPoll: Double = Self.secondsPerPoll, fallback: PollPlan) {
        let share = min(1, curve.samples / Self.enoughSamples)
        let scale = (1 / (2 * secondsPerPoll)).squareRoot()
        var sum = 0.0
        polls = [0]
        polls.reserveCapacity(TimeScale.count + 1)
        for bucket in 0..<TimeScale.count {
            // √hazard · width, with the hazard rate p / (1 - p/2) / width of a bucket.
            let end = curve.endProbability[bucket]
            sum += scale * (end / (1 - end / 2) * TimeScale.width(bucket)).squareRoot()
            polls.append(share * sum + (1 - share) * fallback.polls[bucket + 1])
        }
        notBefore = share < 1 ? 0 : curve.fastest
        isCold = false
    }

    /// The age, in seconds, of the next poll after one at `age`; 0 stands for none yet.
    ///
    /// - Parameter step: by how much the sum of polls has to grow; more than 1 asks less.
    package func next(after age: Double, step: Double = 1) -> Double {
        let due: Double
        if isCold, step == 1 {
            due = age + FallbackSchedule.delay(age: age)
        } else {
            due = self.age(at: polls(at: age) + step)
        }
        let earliest = max(notBefore, age + Self.shortestDelay)
        return min(max(due, earliest), max(notBefore, age + Self.longestDelay))
    }

    private func polls(at age: Double) -> Double {
        let bucket = TimeScale.bucket(age)
        let share = min(1, (age - TimeScale.edges[bucket]) / TimeScale.width(bucket))
        return polls[bucket] + share * (polls[bucket + 1] - polls[bucket])
    }

    private func age(at sum: Double) -> Double {
        // The first edge at which the sum is reached.
        var low = 0
        var high = TimeScale.count + 1
        while low < high {
            let middle = (low + high) / 2
            if polls[middle] < sum { low = middle + 1 } else { high = middle }
        }
        guard low > 0, low <= TimeScale.count else { return low == 0 ? 0 : .greatestFiniteMagnitude }
        let share = (sum - polls[low - 1]) / (polls[low] - polls[low - 1])
        return TimeScale.edges[low - 1] + share * TimeScale.width(low - 1)
    }
}
