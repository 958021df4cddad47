import FoundationEssentials
import HTTPTypes
import NIOCore
import PromptQueue
import Testing

@testable import PromptWeb

@Suite struct MediaTests {
    private func fixture(type: String = "image/png", name: String = "a.png") async throws -> DashboardFixture {
        let fixture = try DashboardFixture()
        try fixture.add("a red fox", batch: "b")
        try await fixture.succeed(Array("0123456789".utf8), type: type, name: name)
        return fixture
    }

    @Test func `a file is served whole, in part, or not again`() async throws {
        let fixture = try await fixture()
        let whole = try await fixture.get("/media/1/0")
        #expect(whole.status == 200)
        #expect(String(buffer: whole.body) == "0123456789")
        #expect(whole.headers[.contentType] == "image/png")
        #expect(HTTPField.Name("Content-Security-Policy").flatMap { whole.headers[$0] }?.hasSuffix("sandbox") == true)
        let tag = try #require(whole.headers[.eTag])
        let part = try await fixture.get("/media/1/0", [.range: "bytes=2-4"])
        #expect(part.status == 206)
        #expect(String(buffer: part.body) == "234")
        #expect(part.headers[.contentRange] == "bytes 2-4/10")
        #expect(String(buffer: try await fixture.get("/media/1/0", [.range: "bytes=-3"]).body) == "789")
        #expect(try await fixture.get("/media/1/0", [.range: "bytes=10-"]).status == 416)
        #expect(try await fixture.get("/media/1/0", [.range: "bytes=2-4", .ifRange: "\"other\""]).status == 200)
        #expect(try await fixture.get("/media/1/0", [.ifNoneMatch: tag]).status == 304)
    }

    @Test(arguments: ["image/svg+xml", "text/html", "application/pdf"])
    func `what could run in a browser is only handed over`(_ type: String) async throws {
        let answer = try await fixture(type: type, name: "a.svg").get("/media/1/0")
        #expect(answer.headers[.contentType] == "application/octet-stream")
        #expect(answer.headers[.contentDisposition] == "attachment; filename=\"1-a.svg\"")
        #expect(HTTPField.Name("X-Content-Type-Options").flatMap { answer.headers[$0] } == "nosniff")
    }

    @Test func `no link leads out of the media directory, and no path comes from a request`() async throws {
        let fixture = try await fixture()
        let path = fixture.media + "/default/1-a.png"
        try FileManager.default.removeItem(atPath: path)
        #expect(try await fixture.get("/media/1/0").status == 404)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/passwd")
        #expect(try await fixture.get("/media/1/0").status == 404)
        #expect(try await fixture.get("/media/1/1").status == 404)
        #expect(try await fixture.get("/media/1/..%2F..%2Fetc").status == 400)
        let files = MediaFiles(directory: fixture.media, databaseID: nil)
        for path in [
            "../ledger.sqlite", "default/../../ledger.sqlite", "/etc/passwd", "", "default/", "default", "./x",
        ] {
            #expect(try files.open(path) == nil)
        }
        try FileManager.default.createSymbolicLink(atPath: fixture.media + "/etc", withDestinationPath: "/etc")
        #expect(try files.open("etc/passwd") == nil)
        // A slash with a sign that joins it is a slash.
        try FileManager.default.createSymbolicLink(atPath: fixture.media + "/x\u{600}", withDestinationPath: "/etc")
        #expect(try files.open("x\u{600}/passwd") == nil)
        #expect(try files.open(".promptd") == nil)
    }

    @Test func `nothing is served of a directory that took the place of the media directory`() async throws {
        let fixture = try await fixture()
        let files = MediaFiles(directory: fixture.media, databaseID: "us")
        #expect(try files.open("default/1-a.png") == nil)
        try Data("us\n".utf8).write(to: URL(filePath: fixture.media + "/.promptd"))
        #expect(try files.open("default/1-a.png") != nil)
        try Data("others\n".utf8).write(to: URL(filePath: fixture.media + "/.promptd"))
        #expect(try files.open("default/1-a.png") == nil)
    }

    @Test func `the chosen results, or those of a batch, come as one archive`() async throws {
        let fixture = try await fixture()
        for place in ["/gallery.zip?batch=b", "/gallery.zip?item=1-0&item=9-9"] {
            let answer = try await fixture.get(place)
            #expect(answer.status == 200)
            #expect(answer.headers[.contentType] == "application/zip")
            let bytes = Array(buffer: answer.body)
            #expect(answer.headers[.contentLength].flatMap { Int($0) } ?? bytes.count == bytes.count)
            #expect(bytes.starts(with: [0x50, 0x4B, 3, 4]))
            #expect(String(decoding: bytes[30..<45], as: UTF8.self) == "default/1-a.png")
            #expect(String(decoding: bytes[45..<55], as: UTF8.self) == "0123456789")
        }
        #expect(try await fixture.get("/gallery.zip").status == 400)
        #expect(try await fixture.get("/gallery.zip?item=7-0").status == 404)
    }

    @Test(arguments: [
        (nil, ByteRange.all), ("bytes=0-0", .part(0...0)), ("bytes=0-", .part(0...9)), ("bytes=5-99", .part(5...9)),
        ("bytes=-99", .part(0...9)), ("bytes=-0", .none), ("bytes=10-12", .none), ("bytes=4-2", .all),
        ("bytes=0-1,3-4", .all), ("lines=0-1", .all), ("bytes=a-b", .all), ("bytes=-", .all),
        ("bytes=99999999999999999999-", .all),
    ])
    func `ranges are read as RFC 9110 says`(_ header: String?, _ range: ByteRange) {
        #expect(ByteRange(header, size: 10) == range)
    }
}

@Suite struct ZipTests {
    @Test func `the checksum is that of zip files`() {
        var checksum = CRC32()
        checksum.update(Array("1234".utf8))
        checksum.update(Array("56789".utf8))
        #expect(checksum.value == 0xCBF4_3926)
        var long = CRC32()
        long.update([UInt8](repeating: 0, count: 32))
        #expect(long.value == 0x190A_55AD)
    }

    @Test func `a file of five gigabytes, and more files than 65,535, take 64-bit sizes`() throws {
        let date = Instant(milliseconds: 1_800_000_000_000)
        var archive = ZipArchive()
        let large = ZipArchive.Entry(name: "a", size: 5 << 30, date: date)
        let first = archive.begin(large)
        archive.wrote(5 << 30)
        let after = archive.end(checksum: 1)
        #expect(first.readableBytes == 30 + 1 + 20)
        #expect(after.readableBytes == 24)
        _ = archive.begin(.init(name: "b", size: 1, date: date))
        archive.wrote(1)
        _ = archive.end(checksum: 2)
        let end = archive.finish()
        // Both entries need 64 bits, the second for its place; so does the end.
        #expect(end.readableBytes == 46 + 1 + 20 + 46 + 1 + 12 + 56 + 20 + 22)
        let many = (0..<70_000).map { ZipArchive.Entry(name: "\($0)", size: 0, date: date) }
        #expect(ZipArchive.size(of: many) > 70_000 * 92)
    }

    @Test func `the length is told before the archive is made`() {
        let date = Instant(milliseconds: 0)
        let entries = [ZipArchive.Entry(name: "a/b.png", size: 3, date: date), .init(name: "ü", size: 0, date: date)]
        var archive = ZipArchive()
        var bytes = 0
        for entry in entries {
            bytes += archive.begin(entry).readableBytes + Int(entry.size)
            archive.wrote(Int(entry.size))
            bytes += archive.end(checksum: 0).readableBytes
        }
        #expect(Int64(bytes + archive.finish().readableBytes) == ZipArchive.size(of: entries))
    }
}
