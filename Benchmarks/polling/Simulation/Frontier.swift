import Glibc
import PromptQueue

/// What the learnt policy reaches on one distribution, for each worth of a poll.
package struct Frontier: Sendable {
    package let outcomes: [Outcome]

    /// - Parameter worths: rising; each asks less than the one before it.
    package init(_ times: [Double], warmUp: Int, worths: [Double]) {
        outcomes = worths.map { LearntPolicy(secondsPerPoll: $0, warmUp: warmUp).outcome(times) }
    }

    /// Two to a doubling, from a thousandth of a second to a minute and a half.
    package static let worths: [Double] = (0..<34).map { 0.001 * pow(2, Double($0) / 2) }

    /// The mean delay with as many polls; nil beyond the ends of the curve.
    package func meanDelay(atPolls polls: Double) -> Double? {
        interpolated(polls, { $0.polls }, { $0.meanDelay })
    }

    /// The polls with as little mean delay; nil beyond the ends of the curve.
    package func polls(atMeanDelay delay: Double) -> Double? {
        interpolated(delay, { $0.meanDelay }, { $0.polls })
    }

    /// Linear in the logarithms, between the two neighbouring points.
    private func interpolated(_ x: Double, _ from: (Outcome) -> Double, _ to: (Outcome) -> Double) -> Double? {
        for (left, right) in zip(outcomes, outcomes.dropFirst()) {
            let (start, end) = (from(left), from(right))
            guard min(start, end) <= x, x <= max(start, end), start != end else { continue }
            let share = log(x / start) / log(end / start)
            return to(left) * pow(to(right) / to(left), share)
        }
        return nil
    }
}

/// How the learnt policy stands beside one that learns nothing.
package struct Comparison: Sendable {
    package let policy: FixedPolicy
    package let outcome: Outcome
    /// Its mean delay by that of the learnt policy with as many polls; more than 1 if it is the worse. Nil if the learnt
    /// policy's curve does not reach there.
    package let delayRatio: Double?
    /// Its polls by those of the learnt policy with the same mean delay.
    package let pollRatio: Double?

    package init(_ policy: FixedPolicy, _ times: [Double], _ frontier: Frontier) {
        self.policy = policy
        outcome = policy.outcome(times)
        delayRatio = frontier.meanDelay(atPolls: outcome.polls).map { [outcome] in outcome.meanDelay / $0 }
        pollRatio = frontier.polls(atMeanDelay: outcome.meanDelay).map { [outcome] in outcome.polls / $0 }
    }
}
