import Foundation
import Testing

/// Jobs that take the results of others, with real programs.
@Suite(.timeLimit(.minutes(2)))
struct ChainTests {
    private func promptctl(_ stage: Stage, _ arguments: String...) async throws -> Stage.Said {
        try await stage.run("promptctl", arguments, environment: ["PROMPTD_DATABASE": stage.database])
    }

    @Test func `an image and a video of it: the second waits, is sent the first one's URL, and survives a kill`()
        async throws
    {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "1500ms", "--jitter", "0s")
            var daemon = try await stage.daemon(sandbox)
            let model = "bytedance/v1-lite-image-to-video"
            let first = try await promptctl(stage, "add", "a red fox in the snow")
            #expect(first.output == "1\n", "\(first.errors)")
            let second = try await promptctl(stage, "add", "it runs", "-m", model, "-i", "image_url=job:1/0")
            #expect(second.output == "2\n", "\(second.errors)")
            #expect(try await promptctl(stage, "list").output.contains("for job 1"))
            try await stage.ledger.wait(job: 1, is: "running")
            daemon.send(SIGKILL)
            _ = try await daemon.end()
            #expect(try await stage.ledger("SELECT state, waits FROM jobs WHERE id = 2") == "queued|1")
            daemon = try await stage.daemon(sandbox)
            let wait = try await promptctl(stage, "wait", "1", "2", "--timeout", "60s")
            #expect(wait.end == .exit(0), "\(wait.errors)")
            let url = try await stage.ledger("SELECT url FROM results WHERE job_id = 1")
            #expect(
                try await stage.ledger("SELECT json_extract(input, '$.image_url') FROM attempts WHERE job_id = 2")
                    == url
            )
            #expect(
                try await stage.ledger("SELECT json_extract(input, '$.image_url') FROM jobs WHERE id = 2") == "job:1/0"
            )
            #expect(try await sandbox.statistics().tasks.made == 2)
            let shown = try await promptctl(stage, "show", "2").output
            #expect(shown.contains("  job 1  succeeded  flux-2/flex-text-to-image"))
            #expect(shown.contains("    job 2  succeeded  \(model)  takes job:1/0  (this job)"))
            try await stage.stop(daemon)
        }
    }
}
