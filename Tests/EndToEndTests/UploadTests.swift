import Foundation
import FoundationNetworking
import Testing

/// Files of this machine, with real programs.
@Suite(.timeLimit(.minutes(2)))
struct UploadTests {
    private let model = "bytedance/v1-lite-image-to-video"

    private func promptctl(_ stage: Stage, _ arguments: String...) async throws -> Stage.Said {
        try await stage.run("promptctl", arguments, environment: ["PROMPTD_DATABASE": stage.database])
    }

    /// Adds a job that moves a photo.
    private func add(_ stage: Stage, _ photo: String) async throws {
        let said = try await promptctl(stage, "add", "make it move", "-m", model, "-i", "image_url=@\(photo)")
        #expect(said.end == .exit(0), "\(said.errors)")
    }

    /// A picture, by a sandbox.
    private func photo(_ stage: Stage, _ sandbox: Sandbox) async throws -> String {
        let said = try await promptctl(stage, "add", "a red fox in the snow")
        #expect(said.end == .exit(0), "\(said.errors)")
        try await stage.ledger.wait(job: 1, is: "succeeded")
        return "\(stage.media)/default/1-0.png"
    }

    private func sentURL(_ stage: Stage, job: Int) async throws -> String {
        try await stage.ledger(
            "SELECT json_extract(input, '$.image_url') FROM attempts WHERE job_id = \(job) ORDER BY id DESC LIMIT 1"
        )
    }

    @Test func `a video of a photo, over kills while it cannot be uploaded and after it was`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "300ms", "--jitter", "0s")
            var daemon = try await stage.daemon(sandbox)
            let photo = try await photo(stage, sandbox)
            try await sandbox.always("upload-502")
            try await add(stage, photo)
            try await stage.ledger.wait(for: "1", from: "SELECT message IS NOT NULL FROM uploads")
            #expect(try await promptctl(stage, "list").output.contains("for an upload"))
            // Whoever takes no file goes on.
            #expect(try await promptctl(stage, "add", "a heron", "--wait").end == .exit(0))
            daemon.send(SIGKILL)
            _ = try await daemon.end()
            // Uploaded at once, and sent later.
            try await stage.ledger("UPDATE jobs SET run_at = unixepoch() * 1000 + 8000 WHERE id = 2")
            try await sandbox.always(nil)
            daemon = try await stage.daemon(sandbox)
            try await stage.ledger.wait(for: "ready", from: "SELECT state FROM uploads")
            daemon.send(SIGKILL)
            _ = try await daemon.end()
            daemon = try await stage.daemon(sandbox)
            let wait = try await promptctl(stage, "wait", "2", "--timeout", "60s")
            #expect(wait.end == .exit(0), "\(wait.errors)")
            let sent = try await sentURL(stage, job: 2)
            #expect(sent == (try await stage.ledger("SELECT url FROM uploads")))
            #expect(sent.hasPrefix(sandbox.url + "/uploads/"))
            #expect(
                try await stage.ledger(
                    "SELECT json_extract(input, '$.image_url') GLOB 'upload:*.png' FROM jobs WHERE id = 2"
                ) == "1"
            )
            let size = try FileManager.default.attributesOfItem(atPath: photo)[.size] as? Int
            #expect(try await sandbox.statistics().uploads.bytes == size)
            #expect(try await sandbox.statistics().tasks.made == 3)
            try await stage.stop(daemon)
        }
    }

    @Test func `an upload that has ended is renewed, and one that the provider lost is by a retry`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "300ms", "--jitter", "0s", "--uploads-kept", "4s")
            let daemon = try await stage.daemon(sandbox)
            let photo = try await photo(stage, sandbox)
            func isGone() async throws {
                let url = try #require(URL(string: try await stage.ledger("SELECT url FROM uploads")))
                _ = try await eventually("the upload is gone") {
                    let (_, response) = try await URLSession.shared.data(from: url)
                    return (response as? HTTPURLResponse)?.statusCode == 404 ? true : nil
                }
            }
            try await add(stage, photo)
            try await stage.ledger.wait(job: 2, is: "succeeded")
            try await isGone()
            // promptd cannot know of it; what the provider refuses is not paid for.
            try await add(stage, photo)
            try await stage.ledger.wait(job: 3, is: "failed")
            #expect(try await stage.ledger("SELECT error_code FROM jobs WHERE id = 3") == "input_unusable")
            #expect(try await promptctl(stage, "retry", "3").end == .exit(0))
            try await stage.ledger.wait(job: 3, is: "succeeded")
            try await isGone()
            try await stage.ledger("UPDATE uploads SET expires_at = 1")
            try await add(stage, photo)
            try await stage.ledger.wait(job: 4, is: "succeeded")
            #expect(try await stage.ledger("SELECT count(*) FROM attempts WHERE job_id = 4") == "1")
            #expect(try await sandbox.statistics().uploads.requests == 3)
            try await stage.stop(daemon)
        }
    }

    @Test func `rows name files only below a root, and no link leads out of it`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "300ms", "--jitter", "0s")
            let root = stage.folder + "/photos"
            try FileManager.default.createDirectory(atPath: root + "/deep", withIntermediateDirectories: true)
            try stage.write("uploads:\n  roots: [\"\(root)\"]\n", to: stage.configuration)
            let daemon = try await stage.daemon(sandbox)
            let photo = try await photo(stage, sandbox)
            try FileManager.default.copyItem(atPath: photo, toPath: root + "/deep/a fox.png")
            try FileManager.default.createSymbolicLink(atPath: root + "/link.png", withDestinationPath: photo)
            try FileManager.default.createSymbolicLink(atPath: root + "/folder", withDestinationPath: stage.media)
            let names = ["/deep/a%20fox.png", "/link.png", "/folder/default/1-0.png", "/../media/default/1-0.png"]
            for url in names.map({ "file://\(root)\($0)" }) + ["file:///etc/hostname"] {
                try await stage.ledger(
                    "INSERT INTO jobs (prompt, model, input) VALUES ('x', '\(model)', '{\"image_url\":\"\(url)\"}')"
                )
            }
            try await stage.ledger.wait(job: 2, is: "succeeded")
            for job in 3...6 { try await stage.ledger.wait(job: job, is: "failed") }
            let codes = try await stage.ledger("SELECT DISTINCT error_code FROM jobs WHERE id > 2")
            #expect(codes == "upload_failed")
            #expect(try await sandbox.statistics().uploads.requests == 1)
            #expect(try await sandbox.statistics().tasks.made == 2)
            try await stage.stop(daemon)
        }
    }

    @Test func `a file that the model does not take is refused before anything is queued`() async throws {
        try await Stage.with { stage in
            #expect(try await promptctl(stage, "init").end == .exit(0))
            let large = stage.folder + "/large.png"
            var bytes = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
            bytes.append(Data(count: 11 * 1_048_576))
            try bytes.write(to: URL(filePath: large))
            let said = try await promptctl(stage, "add", "it moves", "-m", model, "-i", "image_url=@\(large)")
            #expect(said.end == .exit(65))
            #expect(
                said.errors.contains("large.png: has 11,534,344 bytes; the model takes at most 10 MB"),
                "\(said.errors)"
            )
            #expect(try await stage.ledger("SELECT count(*) FROM jobs") == "0")
            #expect(!FileManager.default.fileExists(atPath: stage.database + "-uploads"))
        }
    }

    @Test func `a result whose URL may have ended is uploaded anew for who takes it`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "300ms", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox)
            _ = try await photo(stage, sandbox)
            try await stage.ledger("DROP TRIGGER results_frozen; UPDATE results SET created_at = created_at - 90000000")
            let said = try await promptctl(stage, "add", "it runs", "-m", model, "-i", "image_url=job:1")
            #expect(said.end == .exit(0), "\(said.errors)")
            try await stage.ledger.wait(job: 2, is: "succeeded")
            #expect(try await sentURL(stage, job: 2).hasPrefix(sandbox.url + "/uploads/"))
            #expect(try await sandbox.statistics().uploads.requests == 1)
            try await stage.stop(daemon)
        }
    }
}
