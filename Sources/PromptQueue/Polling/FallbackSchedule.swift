/// How often to ask about a task of a kind of which nothing is known.
///
/// First after 2 s, then after delays that grow by half up to 10 s; from five minutes on a thirtieth of the task's age, an
/// hour at most.
package enum FallbackSchedule {
    /// The delay after a poll at this age; both in seconds.
    package static func delay(age: Double) -> Double {
        // 2, 3, 4.5, 6.75: each delay is half of the sum of those before it, and 2 s more.
        if age < 300 { return min(2 + age / 2, 10) }
        return min(max(10, age / 30), 3_600)
    }

    /// Polls per second at this age. In between the polls that grow by half, the delay at the moment is less than the
    /// mean, by 2 ln 1.5.
    static func density(age: Double) -> Double {
        (age < 16 ? 0.810_930_216 : 1) / delay(age: age)
    }

    /// Polls from the age 0 to each edge of `TimeScale`.
    static let polls: [Double] = (0..<TimeScale.count)
        .reduce(into: [0]) { polls, bucket in
            let middle = TimeScale.edges[bucket] + TimeScale.width(bucket) / 2
            polls.append((polls.last ?? 0) + density(age: middle) * TimeScale.width(bucket))
        }
}
