import Foundation
import Testing

/// From a row to a file, with the money in between.
@Suite(.timeLimit(.minutes(2)))
struct SubmissionTests {
    @Test func `a row inserted with sqlite3 becomes an image on disk, and the ledger agrees with the provider`()
        async throws
    {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "500ms", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox)
            let job = try await stage.ledger.insert("a red fox in the snow")
            try await stage.ledger.wait(job: job, is: "succeeded")

            struct Result: Decodable {
                let path: String
                let bytes: Int
                let sha256: String
                let content_type: String
            }
            let results: [Result] = try await stage.ledger.rows("SELECT * FROM results WHERE state = 'saved'")
            let result = try #require(results.first)
            #expect(results.count == 1)
            #expect(result.path == "default/1-0.png")
            #expect(result.content_type == "image/png")
            let file = try Data(contentsOf: URL(filePath: "\(stage.media)/\(result.path)"))
            #expect(file.starts(with: [0x89, 0x50, 0x4E, 0x47]))
            #expect(file.count == result.bytes)
            let sum = try await stage.run("/usr/bin/env", ["sha256sum", "\(stage.media)/\(result.path)"])
            #expect(sum.output.hasPrefix(result.sha256 + " "))

            #expect(
                try await stage.ledger(
                    "SELECT attempt_count, submitted_at <= finished_at, error_code IS NULL, provider_state FROM jobs"
                ) == "1|1|1|success"
            )
            #expect(try await stage.ledger("SELECT state, files FROM job_status") == "succeeded|default/1-0.png")
            let statistics = try await sandbox.statistics()
            #expect(statistics.tasks.made == 1)
            let (charged, reserved) = try await stage.money()
            #expect(Double(charged) == statistics.credits.consumed * 1_000)
            #expect(charged > 0)
            #expect(reserved == 0)
            try await stage.stop(daemon)
        }
    }

    @Test func `rows that wait in the database when the daemon starts are taken up`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            try await stage.stop(try await stage.daemon(sandbox))
            for number in 1...5 { try await stage.ledger.insert("a fox, number \(number)") }
            let daemon = try await stage.daemon(sandbox)
            try await stage.ledger.wait(for: "5", from: "SELECT count(*) FROM jobs WHERE state = 'succeeded'")
            #expect(try await sandbox.statistics().tasks.made == 5)
            try await stage.stop(daemon)
        }
    }

    @Test func `a job that the provider turns away with 429 waits for a window and succeeds`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s", "--rate", "20/1s")
            try await sandbox.next("429")
            let daemon = try await stage.daemon(sandbox, ["PROMPTD_LIMITS_WINDOW": "1s"])
            let job = try await stage.ledger.insert("a fox that comes too early")
            try await stage.ledger.wait(job: job, is: "succeeded")
            #expect(
                try await stage.ledger.lines(
                    "SELECT state, api_code, charged_millicredits > 0 FROM attempts ORDER BY id"
                )
                    == ["rejected|429|", "accepted|200|1"]
            )
            #expect(try await stage.ledger.number("SELECT attempt_count FROM jobs") == 1)
            #expect(
                try await stage.ledger.number("SELECT max(sent_at) - min(answered_at) >= 1000 FROM attempts") == 1
            )
            try await stage.stop(daemon)
        }
    }

    @Test func `an answer that was lost leaves the job unconfirmed, and nothing but a person submits it again`()
        async throws
    {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            try await sandbox.next("lost")
            let first = try await stage.daemon(sandbox)
            let lost = try await stage.ledger.insert("a fox whose answer is lost")
            try await stage.ledger.wait(job: lost, is: "unconfirmed")
            // Others go on, and so does the next daemon.
            try await stage.ledger.wait(job: try await stage.ledger.insert("another fox"), is: "succeeded")
            try await stage.stop(first)
            let second = try await stage.daemon(sandbox)
            try await stage.ledger.wait(job: try await stage.ledger.insert("a third fox"), is: "succeeded")

            #expect(try await stage.ledger("SELECT state FROM jobs WHERE id = \(lost)") == "unconfirmed")
            #expect(
                try await stage.ledger(
                    "SELECT state, finished_at IS NULL, reserved_millicredits > 0 FROM attempts WHERE job_id = \(lost)"
                ) == "unknown|1|1"
            )
            let tasks = try await sandbox.tasks()
            #expect(tasks.filter { $0.prompt == "a fox whose answer is lost" }.count == 1)
            #expect(tasks.count == 3)
            // What is charged and what is held back is all that the provider took.
            let (charged, reserved) = try await stage.money()
            #expect(Double(charged + reserved) == (try await sandbox.statistics()).credits.consumed * 1_000)
            try await stage.stop(second)
        }
    }

    @Test(arguments: ["media-404", "media-500", "media-cut", "media-stall"])
    func `a download that fails is tried again`(fault: String) async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s", "--slow", "500ms")
            try await sandbox.next(fault)
            let daemon = try await stage.daemon(sandbox)
            let job = try await stage.ledger.insert("a fox who is hard to fetch")
            try await stage.ledger.wait(job: job, is: "succeeded")
            let statistics = try await sandbox.statistics()
            #expect(statistics.media.requests == 2)
            #expect(statistics.media.served == 1)
            #expect(statistics.tasks.made == 1)
            try await stage.expectMediaMatchesResults()
            try await stage.stop(daemon)
        }
    }
}
