import PromptQueue
import Testing

@testable import Simulation

/// A small part of what `make simulate-daemons` runs.
@Suite(.serialized, .blocking)
struct SimulatedDaemonsTests {
    /// Some that are over soon, and in which daemons are cut off.
    static let seeds = (UInt64(1)...200).filter { seed in
        let plan = Plan(seed: seed, isShared: true)
        return plan.jobs < 20 && plan.faults.slowTask == 0 && plan.horizon < .seconds(500)
            && plan.settings.account.unconfirmedPolicy == .hold
            && plan.blows.contains { if case .isCutOff(let length) = $0.blow { length > .seconds(30) } else { false } }
    }.prefix(2)

    @Test(arguments: seeds)
    func `no promise is broken`(seed: UInt64) async throws {
        let report = try await Simulation.run(seed: seed, place: Simulation.several)
        #expect(
            report.violation == nil,
            "replay: swift run promptd-simulate --store several --seed \(seed) --verbose"
        )
        #expect(report.commits > 0)
    }

    @Test func `a seed always makes the same happen`() async throws {
        let seed = try #require(Self.seeds.first)
        let first = try await Simulation.run(seed: seed, place: Simulation.several)
        let second = try await Simulation.run(seed: seed, place: Simulation.several)
        #expect(first.hash == second.hash)
        #expect(first.commits == second.commits)
    }

    @Test func `the seeds bring what they are meant to bring`() {
        let plans = (UInt64(1)...300).map { Plan(seed: $0, isShared: true) }
        #expect(Set(plans.map(\.offsets.count)) == [2, 3, 4])
        #expect(plans.allSatisfy { $0.horizon <= .seconds(900) })
        #expect(plans.contains { Set($0.offsets).count == 3 })
        let blows = plans.flatMap { $0.blows.map(\.blow) }
        #expect(blows.contains { if case .dies = $0 { true } else { false } })
        #expect(blows.contains { if case .isCutOff(let length) = $0 { length > .seconds(60) } else { false } })
        #expect(
            blows.contains {
                if case .freezes(let length, isAsleep: true) = $0 { length > .seconds(60) } else { false }
            }
        )
        #expect(
            !plans.contains { plan in plan.blows.contains { if case .dies = $0.blow { $0.daemon == 0 } else { false } }
            }
        )
        // Whoever is alone is not struck.
        #expect(Plan(seed: 1).blows.isEmpty)
        #expect(Plan(seed: 1).offsets == [.zero])
    }
}
