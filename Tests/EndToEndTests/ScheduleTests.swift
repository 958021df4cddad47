import Foundation
import Testing

/// Jobs that recur, with real programs.
@Suite(.timeLimit(.minutes(2)))
struct ScheduleTests {
    @Test func `a schedule's job is made, sent and paid for once, through kill -9 and a clock of its own`() async throws
    {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "100ms", "--jitter", "0s")
            let first = try await stage.daemon(sandbox)
            let added = try await stage.run(
                "promptctl",
                [
                    "--database", stage.database, "schedule", "add", "hero", "a fox each morning", "--cron",
                    "0 9 * * *", "--time-zone", "UTC",
                ]
            )
            #expect(added.end == .exit(0), "\(added.errors)")
            // By plain SQL, and while promptd runs: the time of a run has come.
            let due = "CAST(unixepoch() / 60 * 60000 AS INTEGER) - 60000"
            try await stage.ledger("UPDATE schedules SET next_run_at = \(due)")
            try await stage.ledger.wait(for: "succeeded", from: "SELECT state FROM jobs WHERE id = 1")
            let key = try await stage.ledger("SELECT unique_key FROM jobs WHERE id = 1")
            #expect(key.wholeMatch(of: /schedule:hero:\d{4}-\d\d-\d\dT\d\d:\d\dZ/) != nil, "\(key)")
            #expect(try await stage.ledger("SELECT next_run_at > unixepoch() * 1000 FROM schedules") == "1")
            first.send(SIGKILL)
            _ = try await first.end()

            // The same instant again, as after a clock that was set back.
            try await stage.ledger("UPDATE schedules SET next_run_at = last_run_at")
            let second = try await stage.daemon(sandbox)
            try await stage.ledger.wait(for: "1", from: "SELECT next_run_at > unixepoch() * 1000 FROM schedules")
            #expect(try await stage.ledger("SELECT count(*) FROM jobs") == "1")

            let now = try await stage.run("promptctl", ["--database", stage.database, "schedule", "run-now", "hero"])
            let id = try #require(Int(now.output.trimmingCharacters(in: .newlines)), "\(now.errors)")
            try await stage.ledger.wait(job: id, is: "succeeded")
            #expect(
                try await stage.ledger("SELECT json_extract(labels, '$.schedule') FROM jobs WHERE id = \(id)") == "hero"
            )
            #expect(try await stage.ledger("SELECT count(*) FROM attempts") == "2")
            #expect(try await sandbox.statistics().tasks.made == 2)
            try await stage.stop(second)
        }
    }
}
