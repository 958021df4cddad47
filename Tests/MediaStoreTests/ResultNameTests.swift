import FoundationEssentials
import PromptQueue
import Testing

@testable import MediaStore

/// How results get their names on disk, whatever producers call their batches and labels.
@Suite struct ResultNameTests {
    private let path = "/tmp/promptd-test-\(UUID().uuidString)"

    private func clear() { try? FileManager.default.removeItem(atPath: path) }

    private func names(_ folder: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)").sorted()
    }

    private func fields(_ job: Int64, _ sku: String, ordinal: Int = 0, batch: String = "tea") -> NameFields {
        NameFields(
            result: ResultID(job: JobID(job), ordinal: ordinal),
            origin: JobOrigin(queue: "shop", batch: batch),
            labels: ["sku": .string(sku)],
            createdAt: Instant(milliseconds: 1_796_000_000_000)
        )
    }

    /// Saves a result, without its sidecar.
    private func save(
        _ media: MediaDirectory,
        _ template: NameTemplate,
        _ fields: NameFields,
        _ text: String = "{}"
    ) throws -> SavedFile {
        var file = try media.begin(fields.result)
        try file.write(Array(text.utf8))
        return try media.keep(file, as: ResultName(template, fields), job: fields.result.job)
    }

    private func saveSidecar(_ media: MediaDirectory, _ job: Int64, _ file: SavedFile) throws {
        let json = #"{"format":1,"job":\#(job),"results":[{"ordinal":0,"path":"\#(file.path)"}]}"#
        let folder = FilePathParts.split(file.path).directory
        try media.keep(Array(json.utf8), besideResultsOf: JobID(job), folder: folder)
    }

    @Test func `batches whose names become one share a folder and no file`() throws {
        defer { clear() }
        let media = try MediaDirectory(path: path)
        var saved: [String] = []
        for (job, batch) in [(Int64(1), "a/b"), (2, "a:b"), (3, "a_b")] {
            let file = try save(media, .standard, fields(job, "", batch: batch))
            saved.append(file.path)
            try saveSidecar(media, job, file)
        }
        #expect(saved == ["a_b/1-0.json", "a_b/2-0.json", "a_b/3-0.json"])
        #expect(try names("a_b").count == 6)
        #expect(try names() == [".partial", "a_b"])
    }

    @Test func `jobs with the same label each keep their file, even with the same bytes`() throws {
        defer { clear() }
        let media = try MediaDirectory(path: path)
        let template = try NameTemplate("{batch}/{date}/{label.sku}-{ordinal}.{ext}")
        var saved: [String] = []
        for job in Int64(1)...3 {
            let file = try save(media, template, fields(job, "TEA"))
            saved.append(file.path)
            try saveSidecar(media, job, file)
        }
        let folder = "tea/2026-11-30"
        #expect(saved == ["\(folder)/TEA-0.json", "\(folder)/TEA-0-2.json", "\(folder)/TEA-0-3.json"])
        #expect(try names(folder).count == 6)

        // promptd ended before the ledger knew, and fetches again.
        #expect(try save(media, template, fields(2, "TEA")).path == "\(folder)/TEA-0-2.json")
        #expect(try names(folder).count == 6)
        #expect(try names(".partial").isEmpty)
    }

    @Test func `many at once with one label take a name each`() async throws {
        defer { clear() }
        let media = try MediaDirectory(path: path)
        let template = try NameTemplate("{batch}/{label.sku}-{ordinal}.{ext}")
        let saved = try await withThrowingTaskGroup(of: String.self) { group in
            for job in Int64(1)...40 {
                group.addTask { try save(media, template, fields(job, "TEA"), "{\"job\":\(job)}").path }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(saved).count == 40)
        #expect(try names("tea").count == 40)
    }

    @Test func `whose files there are is told by sidecars before names`() throws {
        defer { clear() }
        let media = try MediaDirectory(path: path)
        let template = try NameTemplate("{batch}/{date}/{label.sku}-{ordinal}.{ext}")
        // A label that looks like the number of a job.
        try saveSidecar(media, 7, try save(media, template, fields(7, "2026")))
        _ = try save(media, .standard, fields(8, ""))
        #expect(try media.jobsWithFiles() == [JobID(7), JobID(8)])
    }

    @Test func `a file is removed from a folder of folders, and no link is followed`() throws {
        defer { clear() }
        let media = try MediaDirectory(path: path)
        let template = try NameTemplate("{batch}/{date}/{label.sku}-{ordinal}.{ext}")
        let file = try save(media, template, fields(7, "TEA"))
        try saveSidecar(media, 7, file)
        let removal = Removal(job: JobID(7), path: file.path)
        #expect(media.remove([removal]).gone == [removal])
        #expect(try names("tea/2026-11-30").isEmpty)

        let outside = path + "-outside"
        defer { try? FileManager.default.removeItem(atPath: outside) }
        try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: false)
        #expect(FileManager.default.createFile(atPath: outside + "/TEA-0.json", contents: Data([1])))
        try FileManager.default.removeItem(atPath: path + "/tea/2026-11-30")
        try FileManager.default.createSymbolicLink(atPath: path + "/tea/2026-11-30", withDestinationPath: outside)
        let (gone, failure) = media.remove([removal])
        #expect(gone.isEmpty && failure != nil)
        #expect(FileManager.default.fileExists(atPath: outside + "/TEA-0.json"))
        #expect(throws: MediaError.self) { try save(media, template, fields(8, "TEA")) }
    }

    @Test func `the small pictures of a removed job go with its files`() throws {
        defer { clear() }
        let media = try MediaDirectory(path: path)
        let folder = "\(path)/\(ThumbnailName.folder)/12"
        for folder in [folder, "\(path)/default"] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        let names = ["12-0-ab-320.webp", "12-0-ab-640.webp", "112-0-ab-320.webp"]
        for name in names { #expect(FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: Data([1]))) }
        #expect(try media.jobsWithFiles().isEmpty)
        let removal = Removal(job: JobID(12), path: "default/12-0.png")
        #expect(media.remove([removal]).gone == [removal])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [names[2]])
    }
}
