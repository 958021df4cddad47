import Testing

@testable import Simulation

/// A small part of what `make simulate-postgresql` runs.
@Suite(.serialized, .blocking)
struct PostgresSeedTests {
    static let seeds = Array(SeedTests.seeds.dropFirst().prefix(3))

    @Test(arguments: seeds)
    func `no promise is broken`(seed: UInt64) async throws {
        let report = try await Simulation.run(seed: seed, place: Simulation.postgresql)
        #expect(
            report.violation == nil,
            "replay: swift run promptd-simulate --store postgresql --seed \(seed) --verbose"
        )
    }

    @Test func `a seed always makes the same happen`() async throws {
        let first = try await Simulation.run(seed: Self.seeds[0], place: Simulation.postgresql)
        let second = try await Simulation.run(seed: Self.seeds[0], place: Simulation.postgresql)
        #expect(first.hash == second.hash)
        #expect(first.commits == second.commits)
        #expect(first.commits > 0)
    }
}
