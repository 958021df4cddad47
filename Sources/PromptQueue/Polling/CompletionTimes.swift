/// What is known of how long tasks of one kind take: how many ended in each bucket of time, and how many were at risk of
/// ending there.
///
/// The ratio of the two is the occurrence/exposure estimate of the hazard rate. A task that is still running counts among
/// those at risk up to the age at which it was last seen running: it is a right-censored sample and biases nothing.
/// What was seen earlier counts less: each completion takes a hundredth of their weight from those before it, so that the
/// last hundred count most and a change of the provider's speed is followed.
struct CompletionTimes: Sendable {
    /// The weight that remains when another task completes.
    static let decay = 0.99
    /// So many of the latest completions are worth keeping: what lies further back weighs less than a twentieth.
    static let memory = 300
    /// The fastest is remembered for at least as many completions.
    private static let generation = 250

    /// By bucket: weights of those that ended there, in units of `weight`.
    private(set) var ends = [Double](repeating: 0, count: TimeScale.count)
    /// By bucket: weights of those that reached it; of one that was last seen running within it, the share.
    private(set) var atRisk = [Double](repeating: 0, count: TimeScale.count)
    /// What one more task weighs. It grows instead of all others shrinking.
    private(set) var weight = 1.0
    /// All completions that were ever seen.
    private(set) var completions = 0
    private var recentFastest = Double.infinity
    private var earlierFastest = Double.infinity

    /// The shortest time of the last 250 to 500 completions, in seconds.
    var fastest: Double? {
        let fastest = min(recentFastest, earlierFastest)
        return fastest.isFinite ? fastest : nil
    }

    /// A task was seen running at the age `to`, and before that at `from`.
    mutating func wasRunning(from: Double, to: Double) {
        guard from < to else { return }
        for bucket in TimeScale.bucket(from)...TimeScale.bucket(to) {
            atRisk[bucket] += weight * TimeScale.share(bucket, from: from, to: to)
        }
    }

    /// A task ended; it had last been seen running at the age `from`.
    mutating func ended(_ time: CompletionTime, lastSeenRunning from: Double) {
        completions += 1
        grow()
        // It reached the bucket in which it ended, and counts there in full.
        wasRunning(from: from, to: TimeScale.edges[TimeScale.bucket(time.middle) + 1])
        let low: Double
        switch time {
        case .exactly(let seconds):
            ends[TimeScale.bucket(seconds)] += weight
            low = seconds
        case .between(let start, let end):
            let span = max(end - start, 1e-3)
            for bucket in TimeScale.bucket(start)...TimeScale.bucket(start + span) {
                let overlap = TimeScale.share(bucket, from: start, to: start + span) * TimeScale.width(bucket)
                ends[bucket] += weight * overlap / span
            }
            low = start
        }
        recentFastest = min(recentFastest, low)
        if completions.isMultiple(of: Self.generation) {
            earlierFastest = recentFastest
            recentFastest = .infinity
        }
    }

    private mutating func grow() {
        weight /= Self.decay
        guard weight > 1e100 else { return }
        for bucket in 0..<TimeScale.count {
            ends[bucket] /= weight
            atRisk[bucket] /= weight
        }
        weight = 1
    }
}

/// How long a task took, in seconds.
enum CompletionTime: Sendable, Hashable {
    /// By the provider's own clock.
    case exactly(Double)
    /// Seen running at the one age and ended at the other.
    case between(Double, Double)

    /// A task that ended between two questions. If it was never seen running, no more than the later half of its time
    /// counts: that it may have ended at once is not worth asking at once.
    static func between(lastSeenRunning from: Double, ended to: Double) -> CompletionTime {
        .between(max(from, to / 2), max(from, to))
    }

    /// The time itself, or the middle of what it may be.
    var middle: Double {
        switch self {
        case .exactly(let seconds): seconds
        case .between(let start, let end): (start + end) / 2
        }
    }
}
