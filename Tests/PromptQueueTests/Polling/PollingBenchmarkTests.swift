import PollingSimulation
import Testing

@testable import PromptQueue

/// The claim of the benchmark, on a smaller run: the learnt policy, learning online from nothing, is the better one.
@Suite struct PollingBenchmarkTests {
    @Test(arguments: Distribution.all)
    func `learning asks less for the same delay than each fixed policy`(distribution: Distribution) throws {
        var random = SeededGenerator(seed: 11)
        let times = (0..<500).map { _ in distribution.sample(using: &random) }
        let worths: [Double] = [0.02, 0.1, 0.4, 1, 3, 10, 40, 150]
        let frontier = Frontier(times, warmUp: 0, worths: worths)
        for policy in FixedPolicy.all {
            let comparison = Comparison(policy, times, frontier)
            let ratio = try #require(comparison.pollRatio, "\(policy.name) lies beyond the curve")
            #expect(ratio > 1.05, "\(policy.name) on \(distribution.name)")
        }
    }
}
