/// For each bucket of time, how probably a task that is still running at its start ends within it.
///
/// Smoothed over neighbouring buckets: each bucket's ends are spread as widely as it takes to meet the square root of all
/// samples (the nearest-neighbour rule of Loftsgaarden and Quesenberry 1965), so that two modes stay apart and a lonely
/// straggler is spread over a wide range.
package struct SurvivalCurve: Sendable {
    /// By bucket.
    private(set) var endProbability: [Double]
    /// The shortest time that counts, in seconds; nothing ends before it.
    let fastest: Double
    /// How many completions it rests on, faded ones counting as less.
    let samples: Double

    /// Tasks of which nothing is known are thought to double their age with a probability of a half: a hazard rate of one
    /// over the age (Pareto). It weighs as much as one task, so it rules only where nothing was seen.
    private static let priorWeight = 1.0
    /// No end is spread further than this, in buckets: to a quarter of its time, and to the fourfold.
    private static let widest = 32

    /// Nil while no task was seen to end.
    init?(_ times: CompletionTimes) {
        guard let fastest = times.fastest else { return nil }
        self.fastest = fastest
        let first = TimeScale.bucket(fastest)
        let ends = times.ends.map { $0 / times.weight }
        samples = ends.reduce(0, +)
        let smooth = Self.smoothed(ends, from: first, until: samples.squareRoot())
        endProbability = [Double](repeating: 0, count: TimeScale.count)
        // From the last bucket on, so that what ends later is known.
        var endsLater = 0.0
        for bucket in stride(from: TimeScale.count - 1, through: first, by: -1) {
            endsLater += smooth[bucket]
            // Smoothed ends may lie where hardly a task was.
            let atRisk = max(endsLater, times.atRisk[bucket] / times.weight)
            let prior = TimeScale.width(bucket) / TimeScale.edges[bucket + 1]
            endProbability[bucket] = min(
                0.999,
                (smooth[bucket] + Self.priorWeight * prior) / (atRisk + Self.priorWeight)
            )
        }
    }

    private static func smoothed(_ ends: [Double], from first: Int, until enough: Double) -> [Double] {
        var result = [Double](repeating: 0, count: ends.count)
        // Faded samples weigh next to nothing; they are left where they are.
        for bucket in first..<ends.count where ends[bucket] > 0 {
            var reach = 0
            var met = ends[bucket]
            while met < enough, reach < widest {
                reach += 1
                if bucket - reach >= first { met += ends[bucket - reach] }
                if bucket + reach < ends.count { met += ends[bucket + reach] }
            }
            let range = max(first, bucket - reach)...min(ends.count - 1, bucket + reach)
            // A triangle, cut off at the fastest.
            let whole = range.reduce(0) { $0 + (reach + 1 - abs($1 - bucket)) }
            for other in range {
                result[other] += ends[bucket] * Double(reach + 1 - abs(other - bucket)) / Double(whole)
            }
        }
        return result
    }

    /// The age, in seconds, by which a task that is `age` old will have ended with the given probability.
    package func quantile(_ probability: Double, age: Double = 0) -> Double {
        var left = 1 - probability
        var bucket = TimeScale.bucket(age)
        var from = max(age, TimeScale.edges[bucket])
        while bucket < TimeScale.count {
            let share = TimeScale.share(bucket, from: from, to: .infinity)
            let survives = 1 - endProbability[bucket] * share
            // `left` shrinks to 1 when as many have survived as may.
            let next = left / survives
            if next >= 1 {
                let part = survives < 1 ? (1 - left) / (1 - survives) : 0
                return from + part * (TimeScale.edges[bucket + 1] - from)
            }
            left = next
            bucket += 1
            from = TimeScale.edges[min(bucket, TimeScale.count)]
        }
        return TimeScale.edges[TimeScale.count]
    }
}
