import Testing

@testable import Simulation

/// A small part of what `make simulate` runs.
@Suite(.serialized, .blocking)
struct SeedTests {
    /// Small ones, so that all of them together take seconds.
    static let seeds: [UInt64] = Array((1...200).filter { Plan(seed: $0).scale == .burst }.prefix(16))

    @Test(arguments: seeds)
    func `no promise is broken`(seed: UInt64) async throws {
        let report = try await Simulation.run(seed: seed)
        #expect(report.violation == nil, "replay: swift run promptd-simulate --seed \(seed) --verbose")
    }

    @Test(arguments: seeds.prefix(4))
    func `a seed always makes the same happen`(seed: UInt64) async throws {
        let first = try await Simulation.run(seed: seed)
        let second = try await Simulation.run(seed: seed)
        #expect(first.hash == second.hash)
        #expect(first.commits == second.commits)
        #expect(first.commits > 0)
    }

    @Test func `seeds differ`() async throws {
        let first = try await Simulation.run(seed: Self.seeds[0])
        let second = try await Simulation.run(seed: Self.seeds[1])
        #expect(first.hash != second.hash)
    }

    @Test func `the seeds bring what they are meant to bring`() {
        let plans = (1...1_000).map { Plan(seed: $0) }
        #expect(Set(plans.map(\.scale)) == [.burst, .days, .weeks, .bulk])
        #expect(plans.contains { $0.jobs >= 1_000 })
        #expect(plans.contains { $0.horizon > .seconds(14 * 86_400) })
        #expect(plans.contains { !$0.crashAtCommit.isEmpty && !$0.crashAtSubmission.isEmpty })
        #expect(plans.contains { $0.jumps.contains { $0.by > .seconds(3_600) } })
        #expect(plans.contains { $0.jumps.contains { $0.by < .seconds(-3_600) } })
        #expect(!plans.contains { $0.isGreedy && !$0.jumps.isEmpty })
        #expect(Set(plans.flatMap(\.spells).map(\.kind)).count >= 13)
    }
}
