import Foundation
import Testing

/// Results on their way to disk, with real programs.
@Suite(.timeLimit(.minutes(2)))
struct DownloadTests {
    @Test func `kill -9 in the middle of a download leaves no half file, and the next daemon fetches the rest`()
        async throws
    {
        try await Stage.with { stage in
            // Half the file comes, then nothing for as long as the first daemon lives.
            let sandbox = try await stage.sandbox("--duration", "100ms", "--jitter", "0s", "--slow", "25s")
            try await sandbox.next("media-stall")
            let first = try await stage.daemon(sandbox)
            let job = try await stage.ledger.insert("a fox in two halves")
            let part = "\(stage.media)/.partial/\(job)-0"
            let there: Int = try await eventually("half of the file is there", explain: { first.tail }) {
                let size = try? FileManager.default.attributesOfItem(atPath: part)[.size] as? Int
                return size.flatMap { $0 > 0 ? $0 : nil }
            }
            #expect(!FileManager.default.fileExists(atPath: "\(stage.media)/default"))
            first.send(SIGKILL)
            _ = try await first.end()
            #expect(!FileManager.default.fileExists(atPath: "\(stage.media)/default"))
            // What belongs to no result is cleared away.
            try stage.write("x", to: "\(stage.media)/.partial/999-0")

            let second = try await stage.daemon(sandbox)
            try await stage.ledger.wait(job: job, is: "succeeded")
            try await stage.expectMediaMatchesResults()
            #expect(there > 0)
            let media = try await sandbox.statistics().media
            #expect(media.requests == 2)
            #expect(media.parts == 1, "only the rest was asked for")
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(stage.media)/.partial").isEmpty)
            try await stage.stop(second)
        }
    }

    @Test func `frames that were asked for come as files, each with its role`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "100ms", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox)
            try await stage.ledger(
                """
                INSERT INTO jobs (model, prompt, input)
                VALUES ('bytedance/seedance-2', 'a fox runs', '{"return_last_frame":true}')
                """
            )
            try await stage.ledger.wait(job: 1, is: "succeeded")
            try await stage.expectMediaMatchesResults()
            #expect(
                try await stage.ledger(
                    "SELECT group_concat(role || ' ' || path, ', ') FROM (SELECT * FROM results ORDER BY ordinal)"
                ) == "result default/1-0.avi, firstFrame default/1-1.png, lastFrame default/1-2.png"
            )
            let sidecar = try String(contentsOfFile: "\(stage.media)/default/1.json", encoding: .utf8)
            #expect(sidecar.contains("\"role\" : \"lastFrame\""))
            try await stage.stop(daemon)
        }
    }

    @Test func `cancelling stops a download under way, and taking the job up again pays nothing`() async throws {
        try await Stage.with { stage in
            // Only the cancellation can end the first download in time.
            let sandbox = try await stage.sandbox("--duration", "100ms", "--jitter", "0s", "--slow", "100s")
            try await sandbox.next("media-stall")
            let daemon = try await stage.daemon(sandbox)
            let job = try await stage.ledger.insert("a fox who is called off")
            let part = "\(stage.media)/.partial/\(job)-0"
            _ = try await eventually("half of the file is there", explain: { daemon.tail }) {
                let size = try? FileManager.default.attributesOfItem(atPath: part)[.size] as? Int
                return size.flatMap { $0 > 0 ? true : nil }
            }
            try await stage.ledger("UPDATE jobs SET state = 'cancelled' WHERE id = \(job)")
            _ = try await eventually("what was downloaded is gone", explain: { daemon.tail }) {
                FileManager.default.fileExists(atPath: part) ? nil : true
            }
            #expect(!FileManager.default.fileExists(atPath: "\(stage.media)/default"))
            #expect(
                try await stage.ledger("SELECT j.state, r.state, r.error_message FROM jobs AS j JOIN results AS r")
                    == "cancelled|failed|cancelled before it was downloaded"
            )

            try await stage.ledger("UPDATE jobs SET state = 'queued' WHERE id = \(job)")
            try await stage.ledger.wait(job: job, is: "succeeded")
            try await stage.expectMediaMatchesResults()
            let statistics = try await sandbox.statistics()
            #expect(statistics.createTask.arrivals == 1)
            #expect(statistics.media.requests == 2)
            #expect(statistics.media.parts == 0, "the whole file was asked for")
            try await stage.stop(daemon)
        }
    }

    @Test func `a hostile batch name stays in the media directory; its sidecar tells where the file comes from`()
        async throws
    {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "100ms", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox)
            try await stage.ledger(
                """
                INSERT INTO jobs (prompt, batch, labels) VALUES ('a fox on a path', '../../etc', '{"sku":"A-1"}')
                """
            )
            try await stage.ledger.wait(job: 1, is: "succeeded")
            #expect(try await stage.ledger("SELECT path FROM results") == "_._.._etc/1-0.png")
            try await stage.expectMediaMatchesResults()
            let data = try Data(contentsOf: URL(filePath: "\(stage.media)/_._.._etc/1.json"))
            let sidecar = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            #expect(sidecar["batch"] as? String == "../../etc")
            #expect((sidecar["input"] as? [String: Any])?["aspect_ratio"] as? String == "1:1")
            #expect(sidecar["credits_charged"] as? Double == 14)
            #expect(sidecar["task_finished_at"] is String)
            try await stage.stop(daemon)
        }
    }

    @Test func `without sidecars there are none`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "100ms", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox, ["PROMPTD_DOWNLOADS_SIDECARS": "false"])
            try await stage.ledger.insert("a fox alone")
            try await stage.ledger.wait(job: 1, is: "succeeded")
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(stage.media)/default") == ["1-0.png"])
            try await stage.stop(daemon)
        }
    }
}
