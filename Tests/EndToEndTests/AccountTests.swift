import Foundation
import Testing

/// The account runs low, and somebody tops it up; a lost answer is waited for. A job costs 14 credits.
@Suite(.timeLimit(.minutes(3)))
struct AccountTests {
    private static let enqueue =
        "INSERT INTO jobs (prompt) VALUES ('a fox, one'), ('a fox, two'), ('a fox, three'), ('a fox, four')"
    private static let succeeded = "SELECT count(*) FROM jobs WHERE state = 'succeeded'"

    /// How often a line is in the daemon's log.
    private func count(_ line: String, in daemon: RunningProgram) -> Int {
        daemon.errors.split(separator: "\n").count { $0.contains(line) }
    }

    @Test func `the reserve is kept, and a top-up lets the queue go on`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s", "--credits", "130")
            let daemon = try await stage.daemon(sandbox, ["PROMPTD_CREDITS_RESERVE": "100"])
            try await stage.ledger(Self.enqueue)
            try await stage.ledger.wait(for: "2|credits", from: "SELECT queued, blocked_by FROM queue_status")
            try await stage.ledger.wait(for: "2", from: Self.succeeded)
            #expect(try await sandbox.statistics().credits.balance == 102)
            #expect(try await stage.ledger("SELECT message FROM gates").contains("credits.reserve (100)"))

            try await sandbox.topUp(100)
            try await stage.ledger.wait(for: "4", from: Self.succeeded, within: .seconds(90))
            #expect(try await sandbox.statistics().credits.balance == 174)
            #expect(try await stage.ledger("SELECT count(*) FROM gates") == "0")
            #expect(count("submitting stopped", in: daemon) == 1)
            #expect(count("submitting goes on", in: daemon) == 1)
            // The provider refused nothing: the ledger did.
            #expect(try await sandbox.statistics().createTask.arrivals == 4)
            try await stage.stop(daemon)
        }
    }

    @Test func `without credits the balance is asked for, not the provider for tasks, and a top-up is noticed`()
        async throws
    {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s", "--credits", "20")
            let daemon = try await stage.daemon(sandbox)
            try await stage.ledger("INSERT INTO jobs (prompt) VALUES ('a fox, one')")
            try await stage.ledger.wait(for: "1", from: Self.succeeded)
            try await stage.ledger("INSERT INTO jobs (prompt) VALUES ('a fox, two')")
            try await stage.ledger.wait(for: "1|credits", from: "SELECT queued, blocked_by FROM queue_status")
            #expect(try await stage.ledger("SELECT attempt_count FROM jobs WHERE id = 2") == "0")

            try await sandbox.topUp(100)
            try await stage.ledger.wait(for: "2", from: Self.succeeded, within: .seconds(90))
            #expect(try await sandbox.statistics().createTask.arrivals == 3)
            #expect(count("submitting stopped", in: daemon) == 1)
            #expect(count("submitting goes on", in: daemon) == 1)
            try await stage.stop(daemon)
        }
    }

    @Test func `the policy resubmit sends a lost job again after its window, and books both`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            try await sandbox.next("lost")
            let daemon = try await stage.daemon(
                sandbox,
                ["PROMPTD_UNCONFIRMED_POLICY": "resubmit", "PROMPTD_UNCONFIRMED_WINDOW": "5s"]
            )
            let job = try await stage.ledger.insert("a fox whose answer is lost")
            try await stage.ledger.wait(job: job, is: "unconfirmed")
            let shown = try await stage.run("promptctl", ["--database", stage.database, "show", "\(job)"])
            #expect(shown.output.contains("without any, it is sent again"))
            try await stage.ledger.wait(job: job, is: "succeeded")
            #expect(
                try await stage.ledger.lines("SELECT state, charged_millicredits, finished_at > 0 FROM attempts")
                    == ["unknown|14000|1", "accepted|14000|1"]
            )
            #expect(try await stage.ledger("SELECT attempt_count, charged_millicredits FROM jobs") == "2|28000")
            #expect(try await sandbox.statistics().credits.consumed == 28)
            try await stage.stop(daemon)
        }
    }
}
