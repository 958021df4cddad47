import Synchronization
import Testing

@testable import Simulation

/// Another store than SQLite's can be simulated: it brings a place.
@Suite struct PlaceTests {
    @Test func `a world takes its ledger from the factory that it is given`() async throws {
        let made = Mutex(0)
        let report = try await Simulation.run(seed: 1) { seed in
            made.withLock { $0 += 1 }
            return try SQLitePlace(seed: seed)
        }
        #expect(made.withLock { $0 } == 1)
        #expect(report.violation == nil)
        #expect(report.hash == (try await Simulation.run(seed: 1)).hash)
    }
}
