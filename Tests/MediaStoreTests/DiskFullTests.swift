import FoundationEssentials
import Glibc
import PromptQueue
import Testing

@testable import MediaStore

/// A media directory on a disk of its own, of 64 KiB. Only root may make one; for others the test is skipped.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DiskFullTests {
    private func withSmallDisk(_ size: String = "64k", _ body: (String) async throws -> Void) async throws {
        let path = "/tmp/promptd-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        guard unsafe mount("tmpfs", path, "tmpfs", 0, "size=\(size)") == 0 else {
            try Test.cancel("a disk can be mounted by root only")
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body(path)) } catch { result = .failure(error) }
        #expect(unsafe umount2(path, CInt(MNT_DETACH)) == 0)
        try result.get()
    }

    @Test func `a full disk is told from other trouble, leaves room for others, and passes`() async throws {
        try await withSmallDisk { path in
            let server = MediaServer { asked, _ in
                asked.path == "/small" ? .file([UInt8](repeating: 1, count: 9_000)) : .file(FetcherTests.image)
            }
            try await server.run(mediaPath: path) { fixture in
                let other = path + "/other"
                _ = FileManager.default.createFile(atPath: other, contents: Data(repeating: 1, count: 44 << 10))
                for _ in 0..<2 {
                    #expect(FetcherTests.failure(await fixture.fetch("/large")) == .local)
                    #expect(fixture.names(in: ".partial").isEmpty, "what cannot be finished gives its room back")
                    #expect(fixture.names(in: "ads").isEmpty)
                }
                #expect(FetcherTests.saved(await fixture.fetch("/small", job: 8))?.bytes == 9_000)
            }
        }
    }

    @Test func `a file that is larger than the free space is that result's trouble, not the disk's`() async throws {
        try await withSmallDisk("80m") { path in
            let server = MediaServer { asked, _ in
                asked.path == "/small" ? .file(FetcherTests.image) : .file([UInt8](repeating: 1, count: 90 << 20))
            }
            try await server.run(maximumBytes: 1 << 30, mediaPath: path) { fixture in
                let outcome = await fixture.fetch("/large")
                #expect(FetcherTests.failure(outcome) == .passing, "\(outcome)")
                #expect(fixture.names(in: ".partial").isEmpty)
                #expect(FetcherTests.saved(await fixture.fetch("/small", job: 8)) != nil)
            }
        }
    }

    @Test func `so is a file that alone fills more than half of a small disk`() async throws {
        try await withSmallDisk("3m") { path in
            let server = MediaServer { asked, _ in
                asked.path == "/small" ? .file(FetcherTests.image) : .file([UInt8](repeating: 1, count: 26 << 20))
            }
            try await server.run(maximumBytes: 1 << 30, mediaPath: path) { fixture in
                #expect(FetcherTests.failure(await fixture.fetch("/large")) == .passing)
                #expect(fixture.names(in: ".partial").isEmpty)
                #expect(FetcherTests.saved(await fixture.fetch("/small", job: 8)) != nil)
            }
        }
    }

    @Test func `files that fit one by one and not together wait for room`() async throws {
        try await withSmallDisk("200m") { path in
            let server = MediaServer { _, _ in .file([UInt8](repeating: 1, count: 150 << 20)) }
            try await server.run(mediaPath: path) { fixture in
                // What another download holds is room that comes back.
                let other = path + "/.partial/9-0"
                _ = FileManager.default.createFile(atPath: other, contents: Data(repeating: 1, count: 100 << 20))
                #expect(FetcherTests.failure(await fixture.fetch("/large")) == .local)
                try FileManager.default.removeItem(atPath: other)
                #expect(FetcherTests.failure(await fixture.fetch("/large")) != .local)
            }
        }
    }

    @Test func `what a trial of the disk leaves at a kill is removed at the next start`() async throws {
        try await withSmallDisk { path in
            let directory = try MediaDirectory(path: path)
            // Where a trial begins is where half-written files lie: what is in its way there ends it.
            let begun = path + "/.partial/.promptd-probe.\(getpid())"
            try FileManager.default.createDirectory(atPath: begun, withIntermediateDirectories: false)
            #expect(throws: MediaError.self) { try MediaDirectory.tryOut(path) }
            try FileManager.default.removeItem(atPath: begun)
            for left in [path + "/.partial/.promptd-probe.1", path + "/.promptd-probe"] {
                _ = FileManager.default.createFile(atPath: left, contents: Data([0]))
            }
            try MediaDirectory.tryOut(path)
            try directory.removeLeftovers(except: [])
            #expect(try FileManager.default.subpathsOfDirectory(atPath: path) == [".partial"])
        }
    }

    @Test func `promptd starts on a full media disk`() async throws {
        try await withSmallDisk { path in
            _ = FileManager.default.createFile(atPath: path + "/full", contents: Data(repeating: 1, count: 64 << 10))
            #expect(throws: MediaError.self) { try MediaDirectory.tryOut(path) }
            try FileManager.default.removeItem(atPath: path + "/full")
            _ = try MediaDirectory(path: path)
            _ = FileManager.default.createFile(atPath: path + "/full", contents: Data(repeating: 1, count: 64 << 10))
            _ = try MediaDirectory(path: path)
        }
    }
}
