import ContactSheets
import FoundationEssentials
import HTTPTypes
import NIOCore
import PromptQueue
import Synchronization
import Testing

@testable import PromptWeb

@Suite struct ThumbnailTests {
    private func fixture(_ maker: TestMaker, type: String = "image/png") async throws -> DashboardFixture {
        let fixture = try DashboardFixture(thumbnailer: maker)
        try fixture.add("a red fox", batch: "b")
        try await fixture.succeed(Array("0123456789".utf8), type: type)
        return fixture
    }

    private func kept(_ fixture: DashboardFixture) -> [String] {
        let folder = "\(fixture.media)/\(ThumbnailName.folder)/1"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    @Test func `a small picture is made when somebody looks, and kept`() async throws {
        let maker = TestMaker()
        let fixture = try await fixture(maker)
        #expect(maker.count == 0)
        for _ in 0..<3 {
            let answer = try await fixture.get("/media/1/0/small?v=abababababab")
            #expect(answer.status == 200)
            #expect(answer.headers[.contentType] == "image/webp")
            #expect(answer.headers[.cacheControl] == "private, max-age=31536000, immutable")
            #expect(answer.body == TestPicture.webp)
        }
        #expect(maker.count == 1)
        #expect(kept(fixture) == ["1-0-abababababababab-320.webp"])
        #expect(try await fixture.get("/media/1/0/small?w=640").status == 200)
        #expect(maker.count == 2)
        let tag = try #require(try await fixture.get("/media/1/0/small").headers[.eTag])
        #expect(try await fixture.get("/media/1/0/small", [.ifNoneMatch: tag]).status == 304)
        // The file itself is what it was.
        #expect(String(buffer: try await fixture.get("/media/1/0").body) == "0123456789")
    }

    @Test func `many who look at once have it made once`() async throws {
        let maker = TestMaker()
        let fixture = try await fixture(maker)
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await fixture.get("/media/1/0/small").status } }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(answers == [Int](repeating: 200, count: 20))
        #expect(maker.count == 1)
    }

    @Test func `of what no small picture can be made, a sign is shown, and it is not tried again`() async throws {
        let maker = TestMaker(failure: PictureFailure("broken"))
        let fixture = try await fixture(maker)
        for _ in 0..<3 {
            let answer = try await fixture.get("/media/1/0/small?v=abababababab")
            #expect(answer.headers[.contentType] == "image/svg+xml")
            #expect(answer.headers[.cacheControl] == "private, max-age=600")
        }
        #expect(maker.count == 1)
        #expect(kept(fixture).isEmpty)
    }

    @Test(arguments: [("image/png", false), ("image/avif", true), ("video/mp4", true), ("text/html", true)])
    func `where none is made, the file itself is served, as anywhere`(_ type: String, _ isReady: Bool) async throws {
        let maker = TestMaker(isReady: isReady)
        let fixture = try await fixture(maker, type: type)
        let (small, whole) = (
            try await fixture.get("/media/1/0/small?v=abababababab"), try await fixture.get("/media/1/0")
        )
        #expect(String(buffer: small.body) == "0123456789")
        #expect(small.headers[.contentType] == whole.headers[.contentType])
        #expect(small.headers[.contentDisposition] == whole.headers[.contentDisposition])
        // A small picture may come, so that this must not be kept for ever.
        #expect(small.headers[.cacheControl] == "private, no-cache")
        #expect(maker.count == 0)
    }

    @Test func `one that lost its content is made again`() async throws {
        let maker = TestMaker()
        let fixture = try await fixture(maker)
        _ = try await fixture.get("/media/1/0/small")
        let path = "\(fixture.media)/\(ThumbnailName.folder)/1/\(kept(fixture)[0])"
        try Data(repeating: 0, count: 20).write(to: URL(filePath: path))
        #expect(try await fixture.get("/media/1/0/small").body == TestPicture.webp)
        #expect(maker.count == 2)
    }

    @Test func `no link leads small pictures elsewhere, and they are shown all the same`() async throws {
        let maker = TestMaker()
        let fixture = try await fixture(maker)
        let elsewhere = fixture.directory + "/elsewhere"
        try FileManager.default.createDirectory(atPath: elsewhere, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: "\(fixture.media)/\(ThumbnailName.folder)",
            withDestinationPath: elsewhere
        )
        #expect(try await fixture.get("/media/1/0/small").body == TestPicture.webp)
        #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere).isEmpty)
        #expect(try await fixture.dashboard.sweepThumbnails() == 0)
    }

    @Test func `small pictures go when their results are gone or are others, and what a crash has left goes`()
        async throws
    {
        let fixture = try await fixture(TestMaker())
        _ = try await fixture.get("/media/1/0/small")
        let folder = "\(fixture.media)/\(ThumbnailName.folder)/1"
        for name in ["1-0-cdcdcdcdcdcdcdcd-320.webp", "101-0-abababababababab-320.webp"] {
            try Data("x".utf8).write(to: URL(filePath: "\(folder)/\(name)"))
        }
        // What is no file of ours ends no sweep.
        let strange = "\(folder)/strange"
        try FileManager.default.createDirectory(atPath: strange, withIntermediateDirectories: true)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 0)],
            ofItemAtPath: strange
        )
        let left = "\(folder)/.1-0-abababababababab-320.webp.x1"
        try Data("x".utf8).write(to: URL(filePath: left))
        func age(_ seconds: Int64) throws {
            let changed = Date(timeIntervalSince1970: Double(fixture.now.milliseconds / 1_000 - seconds))
            try FileManager.default.setAttributes([.modificationDate: changed], ofItemAtPath: left)
        }
        try age(3_000)
        #expect(try await fixture.dashboard.sweepThumbnails() == 2)
        try age(4_000)
        #expect(try await fixture.dashboard.sweepThumbnails() == 1)
        #expect(kept(fixture).filter { $0 != "strange" } == ["1-0-abababababababab-320.webp"])
    }

    @Test func `beyond the bound the oldest go`() async throws {
        let fixture = try await fixture(TestMaker())
        let files = ThumbnailFiles(MediaFiles(directory: fixture.media, databaseID: nil), mostBytes: 100)
        let names = (1...10).map { ThumbnailName(ResultID(job: JobID($0), ordinal: 0), mark: "ab", width: 320) }
        for (index, name) in names.enumerated() {
            try await files.write(TestPicture.webp, name)
            let shard = ThumbnailName.shard(of: name.result.job)
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: Double(1_000 + index))],
                ofItemAtPath: "\(fixture.media)/\(ThumbnailName.folder)/\(shard)/\(name.file)"
            )
        }
        // 200 bytes: down to 90, which is four.
        #expect(try await files.sweep({ Set($0) }, now: fixture.now) == 6)
        #expect(try await files.read(names[0]) == nil)
        #expect(try await files.read(names[9]) != nil)
    }

    @Test func `nothing but the picture is left of a file`() throws {
        func chunk(_ kind: String, _ text: String) -> ByteBuffer {
            var chunk = ByteBuffer(string: kind)
            chunk.writeInteger(UInt32(text.utf8.count), endianness: .little)
            chunk.writeString(text + (text.utf8.count % 2 == 1 ? "\0" : ""))
            return chunk
        }
        func file(_ chunks: [ByteBuffer]) -> ByteBuffer {
            var body = ByteBuffer()
            for var chunk in chunks { body.writeBuffer(&chunk) }
            var file = ByteBuffer(string: "RIFF")
            file.writeInteger(UInt32(body.readableBytes + 4), endianness: .little)
            file.writeString("WEBP")
            file.writeBuffer(&body)
            return file
        }
        let (picture, alpha) = (chunk("VP8 ", "picture"), chunk("ALPH", "alpha"))
        let (exif, profile) = (chunk("EXIF", "where it was"), chunk("ICCP", "profile"))
        let extended = chunk("VP8X", "\u{28}\0\0\0123456")
        #expect(WebPFile.bare(file([extended, profile, picture, exif])) == file([picture]))
        let clear = chunk("VP8X", "\u{10}\0\0\0123456")
        #expect(WebPFile.bare(file([extended, alpha, picture, exif])) == file([clear, alpha, picture]))
        #expect(WebPFile.bare(file([exif])) == nil)
        #expect(WebPFile.bare(ByteBuffer(string: "RIFF")) == nil)
        var lying = chunk("VP8 ", "picture")
        lying.setInteger(UInt32.max, at: 4, endianness: .little)
        #expect(WebPFile.bare(file([lying])) == nil)
    }

    @Test func `names are read back, and nothing else is a name`() {
        let name = ThumbnailName(ResultID(job: JobID(1_234), ordinal: 5), mark: "ab12", width: 640)
        #expect(name.file == "1234-5-ab12-640.webp")
        #expect(ThumbnailName(file: name.file) == name)
        let drawn = ThumbnailName(ResultID(job: JobID(1), ordinal: 0), mark: "ab", width: 320, format: .jpeg)
        #expect(drawn.file == "1-0-ab-320.jpg" && ThumbnailName(file: drawn.file) == drawn)
        #expect(ThumbnailName.shard(of: JobID(1_234)) == "34")
        for file in [
            "", "x", "1-0-ab-321.webp", "1-0-ab-320.png", "01-0-ab-320.webp", "1-0-320.webp", "-1-0-ab-320.webp",
        ] {
            #expect(ThumbnailName(file: file) == nil)
        }
    }
}

@Suite(.enabled(if: VipsThumbnailer().isReady, "vipsthumbnail (Debian's libvips-tools) is not installed"))
struct VipsThumbnailerTests {
    private func thumbnail(
        _ bytes: [UInt8],
        width: Int = 320,
        within limit: Duration = .seconds(120)
    ) async throws -> ByteBuffer {
        let directory = FileManager.default.temporaryDirectory.path() + "vips-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Data(bytes).write(to: URL(filePath: directory + "/a"))
        let file = try #require(try MediaFiles(directory: directory, databaseID: nil).open("a"))
        // As after another width.
        _ = try await VipsThumbnailer(timeout: limit).thumbnail(of: file.descriptor, width: width, as: .webp)
        return try await VipsThumbnailer(timeout: limit).thumbnail(of: file.descriptor, width: width, as: .webp)
    }

    /// Of a picture without transparency (RFC 6386, section 9.1).
    private func size(_ bytes: ByteBuffer) -> [UInt16] {
        [26, 28].compactMap { bytes.getInteger(at: bytes.readerIndex + $0, endianness: .little, as: UInt16.self) }
    }

    @Test func `a picture becomes small, and keeps its shape`() async throws {
        #expect(size(try await thumbnail(TestPicture.png(width: 800, height: 600))) == [320, 240])
        #expect(size(try await thumbnail(TestPicture.png(width: 300, height: 900), width: 640)) == [213, 640])
    }

    @Test func `a picture that is small stays as large as it is`() async throws {
        #expect(size(try await thumbnail(TestPicture.png(width: 40, height: 30))) == [40, 30])
    }

    @Test func `of a file that is cut off there is what there is of it`() async throws {
        let whole = TestPicture.png(width: 800, height: 600)
        #expect(size(try await thumbnail(Array(whole.prefix(whole.count / 2)))) == [320, 240])
    }

    @Test(arguments: [
        Array("<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"/etc/passwd\"/></svg>".utf8),
        Array("push graphic-context\nimage over 0,0 0,0 'https://example.org/'\npop graphic-context".utf8),
        Array("%PDF-1.4\n".utf8), Array("P6 10 10 255\n".utf8), [], TestPicture.signature,
        TestPicture.claim(width: 50_000, height: 50_000, isInterlaced: true),
    ])
    func `of a hostile file there is none`(_ bytes: [UInt8]) async throws {
        await #expect(throws: PictureFailure.self) { try await thumbnail(bytes) }
    }

    @Test func `one that takes too long is ended`() async throws {
        let failure = await #expect(throws: PictureFailure.self) {
            try await thumbnail(TestPicture.png(width: 800, height: 600), within: .milliseconds(1))
        }
        #expect(failure?.description.contains("took longer") == true)
    }
}
