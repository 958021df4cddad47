import Foundation
import Testing

/// A backup that takes the database's place.
@Suite(.timeLimit(.minutes(2)))
struct RestoreTests {
    /// - Parameter ways: how the backup is made.
    @Test(arguments: ["promptctl", "sqlite3"])
    func `jobs that were paid for after the backup are not sent again`(maker: String) async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "100ms", "--jitter", "0s")
            let first = try await stage.daemon(sandbox)
            try await stage.ledger("INSERT INTO jobs (prompt) VALUES ('a fox, before')")
            try await stage.ledger.wait(for: "succeeded", from: "SELECT DISTINCT state FROM jobs")
            try await stage.ledger("UPDATE queues SET paused = 1")
            try await stage.ledger("INSERT INTO jobs (prompt) VALUES ('a fox, waiting'), ('a hen, waiting')")
            let backup = "\(stage.folder)/backup.sqlite"
            if maker == "promptctl" {
                let made = try await stage.run("promptctl", ["--database", stage.database, "backup", backup])
                #expect(made.end == .exit(0), "\(made.errors)")
            } else {
                try await stage.ledger(".backup \(backup)")
            }
            try await stage.ledger("UPDATE queues SET paused = 0")
            try await stage.ledger.wait(for: "succeeded", from: "SELECT DISTINCT state FROM jobs")
            try await stage.stop(first)
            #expect(try await sandbox.statistics().createTask.arrivals == 3)

            let restored = try await stage.run("promptctl", ["--database", stage.database, "restore", backup])
            #expect(restored.end == .exit(0), "\(restored.errors)")
            try await stage.ledger("UPDATE queues SET paused = 0")
            let second = try await stage.daemon(sandbox)
            #expect(second.errors.contains("the database is an older copy: 2 later requests are missing in it"))
            #expect(
                try await stage.ledger("SELECT blocked_by, queued FROM queue_status") == "restored|2"
            )
            let settled = try await stage.run(
                "promptctl",
                ["--database", stage.database, "restored", "--cancel-paid", "--release"],
                environment: ["PROMPTD_MEDIA": stage.media]
            )
            #expect(settled.errors.contains("cancelled 2 jobs"), "\(settled.errors)")
            try await stage.ledger("INSERT INTO jobs (prompt) VALUES ('a cat, later')")
            try await stage.ledger.wait(for: "succeeded", from: "SELECT state FROM jobs WHERE prompt = 'a cat, later'")
            #expect(try await sandbox.statistics().createTask.arrivals == 4, "nothing was sent twice")
            try await stage.stop(second)
        }
    }
}
