import ArgumentParser
import FoundationEssentials
import Simulation

/// Runs many seeds, as many at once as there are processors.
@main
struct Program: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promptd-simulate",
        abstract: "Runs promptd's engine and ledger through simulated trouble and checks what it promises."
    )

    @Option(help: "How many seeds to run.")
    var seeds = 100

    @Option(name: .customLong("from"), help: "The first of them.")
    var first: UInt64 = 1

    @Option(help: "Run this seed alone.")
    var seed: UInt64?

    @Option(help: "Stop after so many seeds have failed.")
    var failures = 20

    @Option(
        help:
            "Which store: sqlite; postgresql, of which a server of its own is started; or several, which is that with two to four daemons."
    )
    var store = Store.sqlite

    @Flag(help: "Print what happens.")
    var verbose = false

    func run() async throws {
        let start = ContinuousClock.now
        var summary = Summary(store: store)
        if let seed {
            summary.add(try await Simulation.run(seed: seed, isVerbose: verbose, place: store.place))
        } else {
            try await runAll(&summary)
        }
        print(summary.text(elapsed: ContinuousClock.now - start))
        if summary.failed > 0 { throw ExitCode(1) }
    }

    private func runAll(_ summary: inout Summary) async throws {
        // Twice as many as cores: each waits a little for its ledger.
        let width = 2 * ProcessInfo.processInfo.activeProcessorCount
        try await withThrowingTaskGroup(of: SeedReport.self) { group in
            var next = first
            let end = first + UInt64(max(seeds, 0))
            func start() {
                guard next < end, summary.failed < failures else { return }
                let seed = next
                next += 1
                group.addTask { [verbose, store] in
                    try await Simulation.run(seed: seed, isVerbose: verbose, place: store.place)
                }
            }
            for _ in 0..<width { start() }
            while let report = try await group.next() {
                summary.add(report)
                start()
            }
        }
    }
}
