import Glibc

/// How long tasks take, in seconds.
package struct Distribution: Sendable {
    package let name: String
    /// Median, spread of the logarithm, and share of each mode.
    let modes: [(median: Double, sigma: Double, share: Double)]
    /// The share of tasks that take 2 to 6 times longer.
    let stragglers = 0.02

    package static let all = [
        Distribution(name: "12 s, sigma 0.25", modes: [(12, 0.25, 1)]),
        Distribution(name: "12 s, sigma 0.5", modes: [(12, 0.5, 1)]),
        Distribution(name: "90 s, sigma 0.25", modes: [(90, 0.25, 1)]),
        Distribution(name: "90 s, sigma 0.5", modes: [(90, 0.5, 1)]),
        Distribution(name: "10 s and 45 s", modes: [(10, 0.15, 0.7), (45, 0.2, 0.3)]),
    ]

    package func sample(using generator: inout some RandomNumberGenerator) -> Double {
        var choice = Double.random(in: 0..<1, using: &generator)
        var mode = modes[modes.count - 1]
        for candidate in modes {
            if choice < candidate.share {
                mode = candidate
                break
            }
            choice -= candidate.share
        }
        // Box and Muller.
        let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &generator))).squareRoot()
        let normal = radius * cos(2 * .pi * Double.random(in: 0..<1, using: &generator))
        let time = mode.median * exp(mode.sigma * normal)
        let isStraggler = Double.random(in: 0..<1, using: &generator) < stragglers
        return isStraggler ? time * Double.random(in: 2..<6, using: &generator) : time
    }
}
