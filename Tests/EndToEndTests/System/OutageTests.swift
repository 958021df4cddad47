import Foundation
import Testing

extension SystemTests {
    /// A gateway that answers everything with 502: whether a task was made cannot be told.
    @Suite(.timeLimit(.minutes(5)))
    struct OutageTests {
        @Test func `a storm of 502 leaves few jobs in doubt, and one command settles them`() async throws {
            try await Stage.with { stage in
                let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s", "--credits", "100000")
                let daemon = try await stage.daemon(sandbox)
                // Five answers let six requests go at once; a whole window of twenty went once.
                try await stage.insert(5)
                try await stage.ledger.wait(for: "5", from: "SELECT count(*) FROM jobs WHERE state = 'succeeded'")
                try await sandbox.always("gateway")
                try await stage.insert(60)
                let clock = ContinuousClock()
                try await clock.sleep(for: .seconds(25))
                let inDoubt = try await stage.ledger.number("SELECT count(*) FROM jobs WHERE state = 'unconfirmed'")
                #expect(inDoubt > 0)
                #expect(inDoubt <= 12, "those that were under way together, and one probe at a time")
                try await sandbox.always(nil)
                let open = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'submitting', 'running')"
                try await stage.ledger.wait(for: "0", from: open, within: .seconds(200))
                let left = try await stage.ledger.number("SELECT count(*) FROM jobs WHERE state = 'unconfirmed'")
                #expect(left >= inDoubt)
                #expect(left <= 14)
                // Nothing else moves the balance now: what it shows of each lost request is seen soon.
                try await stage.ledger.wait(
                    for: "\(left)",
                    from: "SELECT count(*) FROM attempts WHERE state = 'unknown' AND evidence_charged = 0",
                    within: .seconds(200)
                )
                let said = try await stage.run(
                    "promptctl",
                    ["--database", stage.database, "resolve", "--resubmit", "--uncharged"]
                )
                #expect(said.end == .exit(0))
                #expect(said.errors.contains("queued \(left) job"))
                try await stage.ledger.wait(
                    for: "65",
                    from: "SELECT count(*) FROM jobs WHERE state = 'succeeded'",
                    within: .seconds(60)
                )
                #expect(try await sandbox.statistics().tasks.made == 65)
                try await stage.stop(daemon)
                SystemTests.report(
                    "25 s of 502 left \(inDoubt) of 60 jobs in doubt, \(left) in the end; one command settled them"
                )
            }
        }
    }
}
