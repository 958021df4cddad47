package import PromptQueue

/// Runs seeds through promptd's engine and ledger.
package enum Simulation {
    /// Makes a place for a seed's ledger.
    package typealias PlaceFactory = @Sendable (_ seed: UInt64) async throws -> any SimulatedPlace

    /// In a database of its own on a PostgreSQL server, which the first one starts.
    package static let postgresql: PlaceFactory = { try await PostgresPlace(seed: $0) }

    /// The same with two to four daemons, whose number, clocks and accidents the seed decides.
    package static let several: PlaceFactory = { try await PostgresPlace(seed: $0, isShared: true) }

    /// Runs one seed to its end, or to the first promise that is broken.
    ///
    /// - Parameter place: of the store that is simulated; without it SQLite's.
    /// - Throws: what stands in the way of simulating: a scratch file that cannot be made, say.
    @concurrent
    package static func run(
        seed: UInt64,
        isVerbose: Bool = false,
        place: PlaceFactory? = nil
    ) async throws -> SeedReport {
        let make = place ?? { try SQLitePlace(seed: $0) }
        let place = try await make(seed)
        let world = World(seed: seed, isVerbose: isVerbose, place: place)
        var report = SeedReport(seed: seed)
        do {
            try await world.run()
        } catch let violation as Violation {
            report.violation = violation
        }
        report.hash = world.trace.hash
        report.scale = world.plan.scale.rawValue
        report.jobs = world.jobs
        report.submissions = world.submissions
        report.tasks = world.provider.tasks.count
        report.billed = Credits(millicredits: world.provider.tasks.reduce(0) { $0 + $1.bill })
        report.crashes = world.crashes
        report.commits = world.commits
        report.time = world.now
        try await place.remove()
        return report
    }
}

/// What became of one seed.
package struct SeedReport: Sendable {
    package let seed: UInt64
    /// The same for each run of the seed.
    package var hash: UInt64 = 0
    package var scale = ""
    package var violation: Violation?
    package var jobs = 0
    package var submissions = 0
    /// Tasks that the provider made and billed.
    package var tasks = 0
    package var billed = Credits.zero
    package var crashes = 0
    package var commits = 0
    /// How long the world lasted.
    package var time: Duration = .zero

    init(seed: UInt64) { self.seed = seed }
}
