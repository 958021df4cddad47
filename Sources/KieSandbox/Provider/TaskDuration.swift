import Glibc
package import PromptQueue

/// How long tasks take: a distribution to draw from.
package struct TaskDuration: Sendable, Hashable {
    /// How durations are spread.
    package enum Shape: String, Sendable, Hashable, CaseIterable {
        /// Anything from `typical` less `jitter` to `typical` plus `jitter`, all equally likely.
        case uniform
        /// Log-normal around the median `typical`: two thirds lie within a factor of 1 + `jitter` / `typical`.
        case lognormal
    }

    /// The middle of the distribution.
    package var typical: Duration
    /// How far durations stray from it.
    package var jitter: Duration
    package var shape: Shape

    package init(typical: Duration = .seconds(3), jitter: Duration = .seconds(1), shape: Shape = .uniform) {
        self.typical = typical
        self.jitter = jitter
        self.shape = shape
    }

    /// One duration, in whole milliseconds, never below zero.
    package func draw(using generator: inout SeededGenerator) -> Duration {
        let seconds =
            switch shape {
            case .uniform:
                typical.seconds + jitter.seconds * (2 * generator.fraction() - 1)
            case .lognormal:
                typical.seconds * exp(logDeviation * standardNormal(using: &generator))
            }
        return .milliseconds(Int64((max(0, min(seconds, 1e9)) * 1_000).rounded()))
    }

    private var logDeviation: Double {
        typical > .zero ? log(1 + jitter.seconds / typical.seconds) : 0
    }

    /// Box and Muller's transform.
    private func standardNormal(using generator: inout SeededGenerator) -> Double {
        let radius = (-2 * log(1 - generator.fraction())).squareRoot()
        return radius * cos(2 * Double.pi * generator.fraction())
    }
}
