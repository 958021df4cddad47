import Foundation
import Testing

extension SystemTests {
    /// How close the daemon comes to the provider's limits without ever touching them.
    @Suite(.timeLimit(.minutes(5)))
    struct ThroughputAtTheLimitTests {
        private static let jobs = 200
        private static let taskSeconds = 3.0
        // The provider's own limits, which both programs have as their defaults.
        private static let submissions = 20
        private static let windowSeconds = 10.0
        private static let pollsPerSecond = 10

        @Test func `200 jobs use the whole rate of 20 in 10 seconds, and not one request more`() async throws {
            try await Stage.with { stage in
                let sandbox = try await stage.sandbox([
                    "--duration", "\(Int(Self.taskSeconds))s", "--jitter", "0s", "--credits", "100000",
                ])
                let daemon = try await stage.daemon(sandbox)
                try await stage.insert(Self.jobs)
                try await stage.ledger.wait(
                    for: "0",
                    from: "SELECT count(*) FROM jobs WHERE state NOT IN ('succeeded', 'failed', 'unconfirmed')",
                    within: .seconds(240)
                )
                #expect(try await stage.ledger("SELECT DISTINCT state FROM jobs") == "succeeded")
                #expect(
                    try await stage.ledger("SELECT count(*), min(state), max(state) FROM attempts")
                        == "200|accepted|accepted"
                )

                let statistics = try await sandbox.statistics()
                #expect(statistics.createTask.arrivals == Self.jobs)
                #expect(statistics.createTask.refusedByRate == 0)
                #expect(statistics.createTask.windowMilliseconds == Int(Self.windowSeconds) * 1_000)
                #expect(statistics.createTask.mostInWindow <= Self.submissions)
                #expect(statistics.recordInfo.mostInWindow <= Self.pollsPerSecond)
                #expect(statistics.recordInfo.refusedByRate == 0)
                let (charged, reserved) = try await stage.money()
                #expect(Double(charged) == statistics.credits.consumed * 1_000)
                #expect(reserved == 0)
                try await stage.expectMediaMatchesResults()

                // The last jobs cannot be sent before all but the first windows have passed.
                let windows = Double((Self.jobs - 1) / Self.submissions)
                let least = windows * Self.windowSeconds + Self.taskSeconds
                let took =
                    Double(try await stage.ledger.number("SELECT max(finished_at) - min(created_at) FROM jobs")) / 1_000
                let sent =
                    Double(try await stage.ledger.number("SELECT max(submitted_at) - min(created_at) FROM jobs"))
                    / 1_000
                // On a machine that does other things meanwhile the figure says little; there it only has to be sane.
                let isShared = ProcessInfo.processInfo.environment["CI"] != nil
                #expect(took <= least * (isShared ? 1.2 : 1.05))
                SystemTests.report(
                    """
                    \(Self.jobs) jobs at \(Self.submissions) in \(Self.windowSeconds) s took \(took) s: \
                    \(percent(took / least)) of the least possible \(least) s; all were sent after \(sent) s of at least \
                    \(windows * Self.windowSeconds) s; at most \(statistics.createTask.mostInWindow) arrived in any window, \
                    \(statistics.createTask.refusedByRate) were refused; \(statistics.recordInfo.arrivals) polls, at most \
                    \(statistics.recordInfo.mostInWindow) in any second
                    """
                )
                try await stage.stop(daemon)
            }
        }

        private func percent(_ ratio: Double) -> String { "\((ratio * 1_000).rounded() / 10) %" }
    }
}
