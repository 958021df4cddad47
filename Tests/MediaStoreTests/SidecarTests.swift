import FoundationEssentials
import Logging
import PromptQueue
import RecordedLog
import Synchronization
import Testing

@testable import MediaStore

/// What is written down beside results.
@Suite struct SidecarTests {
    /// A ledger of one job with two results, of which it knows none to be saved.
    private struct Source: ProvenanceSource {
        var failure: LedgerError?
        var sent: String? = #"{"aspect_ratio":"4:3","prompt":"a fox \"in\" the snow\n","resolution":"1K"}"#
        var results = [
            JobProvenance.Result(ordinal: 0, url: "https://media.example/0", file: nil),
            JobProvenance.Result(ordinal: 1, url: "https://media.example/1", file: nil),
        ]

        func provenance(of job: JobID) async throws(LedgerError) -> JobProvenance? {
            if let failure { throw failure }
            return JobProvenance(
                job: QueuedJob(
                    id: job,
                    queue: "shop",
                    model: "flux-2/flex-text-to-image",
                    prompt: "a fox \"in\" the snow\n",
                    input: #"{"aspect_ratio":"4:3"}"#
                ),
                sent: sent,
                batch: "tea",
                labels: #"{"sku":"A-1"}"#,
                task: "task-1",
                estimated: Credits(millicredits: 14_000),
                charged: Credits(millicredits: 13_500),
                createdAt: Instant(milliseconds: 1_800_000_000_000),
                submittedAt: Instant(milliseconds: 1_800_000_001_250),
                results: results
            )
        }
    }

    private let path = "/tmp/promptd-test-\(UUID().uuidString)"
    private let log = RecordedLog()

    private func sidecars(_ source: Source = Source(), isEnabled: Bool = true) throws -> Sidecars {
        Sidecars(
            media: try MediaDirectory(path: path),
            source: source,
            isEnabled: { isEnabled },
            now: { Instant(milliseconds: 1_800_000_009_000) },
            logger: log.logger
        )
    }

    private func download(_ ordinal: Int) -> PendingDownload {
        PendingDownload(
            result: ResultID(job: JobID(7), ordinal: ordinal),
            output: .file(url: "https://media.example/\(ordinal)"),
            origin: JobOrigin(queue: "tea"),
            createdAt: Instant(milliseconds: 0)
        )
    }

    private func file(_ ordinal: Int) -> SavedFile {
        SavedFile(path: "tea/7-\(ordinal).png", contentType: "image/png", bytes: 12, sha256: "ab")
    }

    private func read() throws -> JSONObject? {
        let data = try #require(FileManager.default.contents(atPath: path + "/tea/7.json"))
        return try JSONValue(parsing: data).objectValue
    }

    private func clear() {
        try? FileManager.default.removeItem(atPath: path)
    }

    @Test func `it tells everything that a result came from`() async throws {
        defer { clear() }
        await (try sidecars()).write(for: download(0), file(0))
        let found = try #require(try read())
        #expect(found["format"] == 1)
        #expect(found["job"] == 7)
        #expect(found["batch"] == "tea")
        #expect(found["queue"] == "shop")
        #expect(found["prompt"] == "a fox \"in\" the snow\n")
        #expect(found["labels"] == .object(["sku": "A-1"]))
        #expect(found["task_id"] == "task-1")
        #expect(found["credits_estimated"] == 14)
        #expect(found["credits_charged"] == .number(13.5))
        #expect(found["created_at"] == "2027-01-15T08:00:00.000Z")
        #expect(found["submitted_at"] == "2027-01-15T08:00:01.250Z")
        #expect(found["task_finished_at"] == .null)
        // As it was sent, whatever the defaults of the catalogue are today.
        let input = found["input"]?.objectValue
        #expect(input?["aspect_ratio"] == "4:3")
        #expect(input?["resolution"] == "1K")
        #expect(input?["prompt"] == "a fox \"in\" the snow\n")
        let results = try #require(found["results"]?.arrayValue?.map { $0.objectValue ?? [:] })
        #expect(results[0]["path"] == "tea/7-0.png")
        #expect(results[0]["sha256"] == "ab")
        #expect(results[0]["bytes"] == 12)
        #expect(
            results[1] == [
                "ordinal": 1, "role": "result", "url": "https://media.example/1", "path": .null, "content_type": .null,
                "bytes": .null, "sha256": .null,
            ]
        )
        #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/.partial").isEmpty)
    }

    @Test func `results saved at the same moment are all in the last of it`() async throws {
        defer { clear() }
        let sidecars = try sidecars()
        for round in 0..<20 {
            await withDiscardingTaskGroup { group in
                for ordinal in [0, 1] { group.addTask { await sidecars.write(for: download(ordinal), file(ordinal)) } }
            }
            let results = try #require(try read()?["results"]?.arrayValue)
            #expect(results.allSatisfy { $0.objectValue?["sha256"] == "ab" }, "round \(round)")
        }
    }

    @Test func `what keeps it from being written is logged, and nothing else happens`() async throws {
        defer { clear() }
        await (try sidecars(Source(failure: LedgerError(.busy, "locked")))).write(for: download(0), file(0))
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.contains("job.id=7 queue=tea reason=locked") == true)
        // A folder stands where the file is to be.
        try FileManager.default.createDirectory(atPath: path + "/tea/7.json/x", withIntermediateDirectories: true)
        await (try sidecars()).write(for: download(0), file(0))
        #expect(log.lines.count == 2)
        #expect(!log.lines.contains { $0.contains("fox") })
        #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/.partial").isEmpty)
    }

    @Test func `it can be turned off`() async throws {
        defer { clear() }
        await (try sidecars(isEnabled: false)).write(for: download(0), file(0))
        #expect(!FileManager.default.fileExists(atPath: path + "/tea"))
    }
}
