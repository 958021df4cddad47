import FoundationEssentials
import PromptQueue
import Testing

@testable import PromptCommands

/// Files of this machine, given to commands.
@Suite(.bothStores) struct LocalFileCommandTests {
    private let video = "bytedance/v1-lite-image-to-video"
    private let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3]

    private func spool(_ fixture: CommandFixture) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: fixture.spool)) ?? []
    }

    @Test func `add puts a file into the spool, and its job waits for the upload`() async throws {
        let fixture = try CommandFixture()
        let path = try fixture.write(png, "photo.png")
        for value in ["@\(path)", "file://\(path)"] {
            let dry = try await fixture.run("add", "it runs", "-m", video, "-i", "image_url=\(value)", "--dry-run")
            #expect(dry.code == 0)
        }
        #expect(spool(fixture) == [])
        for value in ["@\(path)", "file://\(path)"] {
            let outcome = try await fixture.run("add", "it runs", "-m", video, "-i", "image_url=\(value)")
            #expect(outcome.code == 0, "\(outcome.talk)")
        }
        let name = try #require(spool(fixture).first)
        #expect(spool(fixture).count == 1)
        #expect(try fixture.jobs().map(\.input) == Array(repeating: #"{"image_url":"upload:\#(name)"}"#, count: 2))
        #expect(try fixture.jobs().allSatisfy { $0.waitsForUpload && $0.waits == "for an upload" })
    }

    @Test(arguments: [
        ("@/nowhere/photo.png", "image_url: /nowhere/photo.png: No such file or directory"),
        ("@TEXT", "is neither an image nor a sound or video"),
        ("@WAVE", "is wav by its first bytes; the model takes jpeg, png, webp: convert it first"),
        ("@EMPTY", "is empty"),
    ])
    func `what cannot be uploaded is said before anything is queued`(value: String, message: String) async throws {
        let fixture = try CommandFixture()
        var value = value
        for (name, bytes) in [
            ("TEXT", Array("a fox".utf8)), ("EMPTY", []), ("WAVE", Array("RIFF0000WAVEfmt ".utf8)),
        ] {
            let path = try fixture.write(bytes, name)
            if value == "@" + name { value = "@" + path }
        }
        let outcome = try await fixture.run("add", "it runs", "-m", video, "-i", "image_url=\(value)")
        #expect(outcome.code == 65)
        #expect(outcome.talk.joined(separator: "\n").contains(message), "\(outcome.talk)")
        #expect(try fixture.jobs().isEmpty)
        #expect(spool(fixture) == [])
    }

    @Test func `a table's cells name files beside it`() async throws {
        let fixture = try CommandFixture()
        try fixture.write(png, "photo.png")
        let table = try fixture.write(
            "prompt,model,input.image_url\nit runs,\(video),photo.png\nit jumps,\(video),https://x/1.png\n",
            "table.csv"
        )
        let outcome = try await fixture.run("import", table)
        #expect(outcome.code == 0, "\(outcome.talk)")
        #expect(spool(fixture).count == 1)
        #expect(try fixture.jobs().map(\.waitsForUpload) == [false, true])
        let bad = try fixture.write("prompt,model,input.image_url\nit runs,\(video),@none.png\n", "bad.csv")
        let refused = try await fixture.run("import", bad)
        #expect(refused.code == 65)
        #expect(refused.talk.contains { $0.contains("bad.csv:2: image_url: ") }, "\(refused.talk)")
    }

    @Test func `a list takes several files and URLs, and other fields take texts as they are`() async throws {
        let fixture = try CommandFixture()
        let path = try fixture.write(png, "photo.png")
        let other = try fixture.write(png + [4], "other.png")
        let outcome = try await fixture.run(
            "add",
            "@photo.png",
            "-m",
            "nano-banana-2",
            "-i",
            "image_input=@\(path)",
            "-i",
            "image_input=https://x/1.png",
            "-i",
            "image_input=\(other)",
            "--label",
            "note=@photo.png"
        )
        #expect(outcome.code == 0, "\(outcome.talk)")
        #expect(outcome.talk.joined().contains("2 files to upload (23 B)"), "\(outcome.talk)")
        let job = try #require(try fixture.jobs().first)
        #expect(job.prompt == "@photo.png")
        let items = try JSONValue(parsing: job.input).objectValue?["image_input"]?.arrayValue?.compactMap(\.stringValue)
        #expect(items?.map { String($0.prefix(7)) } == ["upload:", "https:/", "upload:"])
        #expect(spool(fixture).count == 2)
        let text = try await fixture.run(
            "add",
            "a",
            "-m",
            "kling-2.6/text-to-video",
            "-i",
            "negative_prompt=@photo.png"
        )
        #expect(text.code == 0 || !text.talk.joined().contains("No such file"), "\(text.talk)")
    }

    @Test(.filesOnly) func `a trial run without a database says how much would be uploaded`() async throws {
        let fixture = try CommandFixture()
        try fixture.write(png, "photo.png")
        let table = try fixture.write(
            "prompt,model,input.image_url\nit runs,\(video),@photo.png\nit jumps,\(video),photo.png\n",
            "table.csv"
        )
        let none = fixture.database + ".none"
        let outcome = try await fixture.run("import", table, "--dry-run", "--json", "--database", none)
        #expect(outcome.code == 0, "\(outcome.talk)")
        #expect(outcome.output.joined().contains(#""files_to_upload":1"#), "\(outcome.output)")
        #expect(outcome.output.joined().contains(#""bytes_to_upload":11"#))
        #expect(!FileManager.default.fileExists(atPath: none + "-uploads"))
    }

    @Test func `a schedule takes a file, and so does a retry`() async throws {
        let fixture = try CommandFixture()
        let path = try fixture.write(png, "photo.png")
        let added = try await fixture.run(
            "schedule",
            "add",
            "daily",
            "it runs",
            "--cron",
            "@daily",
            "-m",
            video,
            "-i",
            "image_url=@\(path)"
        )
        #expect(added.code == 0, "\(added.talk)")
        #expect(spool(fixture).count == 1)
        let other = try fixture.write(png + [4], "other.png")
        _ = try await fixture.run("add", "it runs", "-m", video, "-i", "image_url=https://x/1.png")
        _ = try await fixture.run("cancel", "1")
        let dry = try await fixture.run("retry", "1", "-i", "image_url=@\(other)", "--dry-run")
        #expect(dry.code == 0, "\(dry.talk)")
        #expect(spool(fixture).count == 1)
        let retried = try await fixture.run("retry", "1", "-i", "image_url=@\(other)")
        #expect(retried.code == 0, "\(retried.talk)")
        #expect(spool(fixture).count == 2)
        #expect(try fixture.jobs().allSatisfy(\.waitsForUpload))
    }

    @Test func `a file that is larger than the model takes is refused with the limit`() async throws {
        let fixture = try CommandFixture()
        let path = try fixture.write(png + [UInt8](repeating: 0, count: 10 * 1_048_576), "photo.png")
        let outcome = try await fixture.run("add", "it runs", "-m", video, "-i", "image_url=@\(path)")
        #expect(outcome.code == 65)
        #expect(outcome.talk.joined().contains("has 10,485,771 bytes; the model takes at most 10 MB, 10,485,760"))
        #expect(try fixture.jobs().isEmpty)
    }
}
