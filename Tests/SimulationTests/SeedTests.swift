import Simulation
import Testing

struct SeedTests {
    @Test func placeholder() async throws {
        let report = try await Simulation.run(seed: 1)
        #expect(report.violation == nil)
    }
}
