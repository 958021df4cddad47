import Foundation
import Testing

/// One job that ends promptd each time does not keep the others from being done.
@Suite(.timeLimit(.minutes(2)))
struct PoisonTests {
    @Test(arguments: [
        ("claim", "failed|set_aside|0"), ("poll", "running|set_aside|1"), ("download", "failed|set_aside|0"),
    ])
    func `what promptd dies of twice is set aside with its money as it is, and everything else goes on`(
        step: String,
        fate: String
    ) async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            let fault = ["PROMPTD_TEST_CRASH": "\(step) 1"]
            #expect(try await stage.run("promptctl", ["--database", stage.database, "init"]).end == .exit(0))
            try await stage.ledger.insert("a fox that is the end")
            for _ in 1...2 {
                let daemon = try await stage.daemon(sandbox, fault)
                let end = try await daemon.end()
                #expect(end == .signal(SIGILL) || end == .signal(SIGTRAP), "\(end) \(daemon.tail)")
            }

            try await stage.ledger("INSERT INTO jobs (prompt) VALUES ('a fox, two'), ('a fox, three')")
            let third = try await stage.daemon(sandbox, fault)
            try await third.line(with: "set aside: promptd has died of it again and again")
            try await stage.ledger.wait(for: "2", from: "SELECT count(*) FROM jobs WHERE state = 'succeeded'")
            let state =
                "SELECT state, error_code, (SELECT sum(reserved_millicredits) > 0 FROM attempts) FROM jobs WHERE id = 1"
            #expect(try await stage.ledger(state) == fate)
            #expect(try await stage.ledger("SELECT error_message FROM job_status WHERE id = 1").contains("crashed"))
            try await stage.stop(third)
            #expect(!FileManager.default.fileExists(atPath: stage.database + "-steps"))

            // Fixed: somebody tries it again, and it is not paid for twice.
            let fourth = try await stage.daemon(sandbox)
            let retry = try await stage.run("promptctl", ["--database", stage.database, "retry", "1"])
            #expect(retry.end == .exit(0), "\(retry.errors)")
            try await stage.ledger.wait(job: 1, is: "succeeded")
            #expect(try await sandbox.statistics().createTask.arrivals == 3)
            #expect(try await stage.ledger("SELECT count(*) FROM suspects") == "0")
            #expect(try await stage.ledger("SELECT sum(reserved_millicredits) FROM attempts") == "0")
            try await stage.stop(fourth)
        }
    }
}
