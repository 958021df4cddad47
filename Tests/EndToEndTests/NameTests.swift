import Foundation
import Testing

/// What results are called, with real programs.
@Suite(.timeLimit(.minutes(2)))
struct NameTests {
    private func insert(_ stage: Stage, _ sku: String) async throws {
        try await stage.ledger(
            "INSERT INTO jobs (prompt, batch, labels) VALUES ('a tin of tea', 'tea', '{\"sku\":\"\(sku)\"}')"
        )
    }

    @Test func `files are named by labels, through a reload and kill -9, and none is lost to another`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "100ms", "--jitter", "0s")
            let file = "\(stage.folder)/names.yaml"
            try stage.write("downloads:\n  names: \"{batch}/{label.sku}-{ordinal}.{ext}\"\n", to: file)
            let arguments = ["--config", file]
            let first = try stage.start("promptd", arguments, environment: stage.environment(sandbox))
            _ = try await first.line(with: "promptd is running")
            for _ in 0..<3 { try await insert(stage, "TEA 1/2") }
            try await stage.ledger.wait(for: "3", from: "SELECT count(*) FROM jobs WHERE state = 'succeeded'")
            let paths = try await stage.ledger.lines("SELECT path FROM results ORDER BY length(path), path")
            #expect(paths.first == "tea/TEA 1_2-0.png")
            #expect(Set(paths).count == 3)
            #expect(paths.dropFirst().allSatisfy { $0.hasPrefix("tea/TEA 1_2-0-") }, "\(paths)")
            try await stage.expectMediaMatchesResults()

            try stage.write("downloads:\n  names: \"by day/{date}/{label.sku}/{id}-{ordinal}.{ext}\"\n", to: file)
            first.send(SIGHUP)
            _ = try await first.line(with: "configuration and API key reloaded")
            try await insert(stage, "TEA-3")
            try await stage.ledger.wait(for: "4", from: "SELECT count(*) FROM jobs WHERE state = 'succeeded'")
            first.send(SIGKILL)
            _ = try await first.end()
            let last = try await stage.ledger("SELECT path FROM results WHERE job_id = 4")
            #expect(last.wholeMatch(of: /by day\/\d{4}-\d\d-\d\d\/TEA-3\/4-0\.png/) != nil, "\(last)")

            let second = try stage.start("promptd", arguments, environment: stage.environment(sandbox))
            _ = try await second.line(with: "promptd is running")
            #expect(
                try await stage.ledger.lines("SELECT path FROM results WHERE job_id < 4").sorted() == paths.sorted()
            )
            #expect(FileManager.default.fileExists(atPath: "\(stage.media)/\(last)"))
            try await stage.stop(second)

            let listed = try await stage.run(
                "promptctl",
                ["list", "-b", "tea", "--files", "-0"],
                environment: stage.environment(nil, ["PROMPTD_MEDIA": stage.media])
            )
            let files = listed.output.split(separator: "\0").map(String.init)
            #expect(files.count == 4)
            #expect(files.allSatisfy { FileManager.default.fileExists(atPath: $0) }, "\(files)")
        }
    }

    @Test func `a template that cannot work stops the start`() async throws {
        try await Stage.with { stage in
            for (template, reason) in [
                ("../{id}-{ordinal}.{ext}", "begins with a dot"), ("{batch}/{id}.{ext}", "has no {ordinal}"),
                ("{batch}/{sku}-{ordinal}.{ext}", "unknown field {sku}"),
            ] {
                let said = try await stage.refusal(["PROMPTD_DOWNLOADS_NAMES": template])
                #expect(said.end == .exit(78))
                #expect(
                    said.errors.contains("downloads.names: \"\(template)\"") && said.errors.contains(reason),
                    "\(said)"
                )
            }
        }
    }
}
