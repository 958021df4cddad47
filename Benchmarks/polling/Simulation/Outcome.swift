/// What a policy cost.
package struct Outcome: Sendable {
    /// Per task.
    package var polls: Double
    /// From the end of a task to the poll that found it, in seconds.
    package var meanDelay: Double
    package var delay95: Double

    init(polls: Int, delays: [Double]) {
        self.polls = Double(polls) / Double(delays.count)
        meanDelay = delays.reduce(0, +) / Double(delays.count)
        delay95 = delays.sorted()[delays.count * 95 / 100]
    }
}

/// A policy that learns nothing.
package struct FixedPolicy: Sendable {
    package let name: String
    let first: Double
    let factor: Double
    let longest: Double

    package static let all = [
        FixedPolicy(name: "every 2 s", first: 2, factor: 1, longest: 2),
        FixedPolicy(name: "every 5 s", first: 5, factor: 1, longest: 5),
        FixedPolicy(name: "1 s doubling to 60 s", first: 1, factor: 2, longest: 60),
        FixedPolicy(name: "2 s times 1.5 to 10 s", first: 2, factor: 1.5, longest: 10),
    ]

    package func outcome(_ times: [Double]) -> Outcome {
        var polls = 0
        let delays = times.map { time in
            var age = 0.0
            var delay = first
            repeat {
                age += delay
                polls += 1
                delay = min(delay * factor, longest)
            } while age < time
            return age - time
        }
        return Outcome(polls: polls, delays: delays)
    }
}
