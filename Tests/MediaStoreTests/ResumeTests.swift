import FoundationEssentials
import HTTPTypes
import PromptQueue
import Synchronization
import Testing

@testable import KieAPI
@testable import MediaStore

/// Downloads that break off, and what is made of what is there.
@Suite(.timeLimit(.minutes(5))) struct ResumeTests {
    static let image = FetcherTests.image
    static let half = 150_000

    /// The SHA-256 of the image, by way of a download in one piece.
    private func wholeSum() async throws -> SavedFile? {
        let found = Mutex<SavedFile?>(nil)
        try await MediaServer { _, _ in .file(Self.image) }.run { fixture in
            let saved = FetcherTests.saved(await fixture.fetch("/x"))
            found.withLock { $0 = saved }
        }
        return found.withLock { $0 }
    }

    @Test func `after a broken connection only the rest is asked for, and the sum is of the whole`() async throws {
        let server = MediaServer { asked, number in
            number == 0 ? .file(Self.image, cut: Self.half) : .file(Self.image, from: Self.offset(asked))
        }
        let whole = try await wholeSum()
        try await server.run { fixture in
            #expect(FetcherTests.failure(await fixture.fetch("/x")) == .passing)
            #expect(fixture.names(in: ".partial") == ["7-0", "7-0.json"])
            let there = try #require(fixture.contents(".partial/7-0")).count
            #expect(there > 0)
            #expect(FetcherTests.saved(await fixture.fetch("/x")) == whole)
            let expected = MediaServer.Asked(path: "/x", range: "bytes=\(there)-", ifRange: "\"v1\"")
            #expect(server.asked.last == expected)
            #expect(fixture.contents("ads/7-0.png") == Self.image)
            #expect(fixture.names(in: ".partial").isEmpty)
        }
    }

    private static func offset(_ asked: MediaServer.Asked) -> Int {
        Int((asked.range ?? "bytes=0-").dropFirst(6).dropLast()) ?? 0
    }

    static let restarts: [String] = [
        "a last byte without end", "a total without end", "the server ignores ranges", "the file has changed", "416",
        "another part", "another length", "no range said",
    ]

    @Test(arguments: restarts)
    func `what cannot be continued starts again`(how: String) async throws {
        let server = MediaServer { asked, number in
            if number == 0 { return .file(Self.image, cut: Self.half) }
            guard asked.range != nil else { return .file(Self.image) }
            let offset = Self.offset(asked)
            var reply = MediaServer.Reply.file(Self.image, from: offset)
            // Whoever went on with this would end with another file.
            reply.body = [UInt8](repeating: 0, count: reply.body.count)
            switch how {
            case "the file has changed": reply.headers[.eTag] = "\"v2\""
            case "a last byte without end":
                reply.headers[.contentRange] = "bytes \(offset)-9223372036854775807/*"
            case "a total without end":
                reply.headers[.contentRange] = "bytes \(offset)-300007/9223372036854775807"
            case "416": reply = MediaServer.Reply(status: 416)
            case "another part": reply.headers[.contentRange] = "bytes 1-299999/300008"
            case "another length": reply.headers[.contentRange] = "bytes \(offset)-300007/999999"
            case "no range said": reply.headers[.contentRange] = nil
            default: reply = .file(Self.image)
            }
            return reply
        }
        let whole = try await wholeSum()
        try await server.run { fixture in
            _ = await fixture.fetch("/x")
            #expect(FetcherTests.saved(await fixture.fetch("/x")) == whole, "\(how)")
            #expect(fixture.contents("ads/7-0.png") == Self.image)
            #expect(fixture.names(in: ".partial").isEmpty)
        }
    }

    @Test(arguments: ["no tag", "a weak tag", "another URL", "another run of the machine", "a damaged note"])
    func `without proof that it is the same file nothing is continued`(how: String) async throws {
        let tag = ["no tag": nil, "a weak tag": "W/\"v1\""][how, default: "\"v1\""]
        let server = MediaServer { _, number in .file(Self.image, tag: tag, cut: number == 0 ? Self.half : nil) }
        try await server.run { fixture in
            _ = await fixture.fetch("/x")
            let note = "\(fixture.path)/.partial/7-0.json"
            switch how {
            case "another run of the machine":
                var source = PartialSource(url: fixture.url + "/x", validator: "\"v1\"", total: nil)
                source.bootID = "another"
                try JSONEncoder().encode(source).write(to: URL(filePath: note))
            case "a damaged note": try Data("{".utf8).write(to: URL(filePath: note))
            default: break
            }
            #expect(FetcherTests.saved(await fixture.fetch(how == "another URL" ? "/y" : "/x")) != nil)
            #expect(server.asked.map(\.range) == [nil, nil])
            #expect(fixture.contents("ads/7-0.png") == Self.image)
        }
    }

    @Test func `the limit holds for the sum of all parts`() async throws {
        let server = MediaServer { asked, number in
            if number == 0 { return .file(Self.image, cut: Self.half) }
            var reply = MediaServer.Reply.file(Self.image, from: Self.offset(asked))
            // Nobody says how long it will be.
            reply.headers[.contentRange] = "bytes \(Self.offset(asked))-300007/*"
            return reply
        }
        try await server.run(maximumBytes: 300_007) { fixture in
            // The first part announces the whole; without that the sum has to be counted.
            #expect(FetcherTests.failure(await fixture.fetch("/x")) == .refused)
            #expect(fixture.names(in: ".partial").isEmpty)
            do {
                var file = try fixture.media.begin(
                    ResultID(job: JobID(7), ordinal: 0),
                    source: PartialSource(url: fixture.url + "/x", validator: "\"v1\"", total: nil)
                )
                try file.write(Array(Self.image.prefix(Self.half)))
            }
            #expect(fixture.names(in: ".partial").count == 2)
            #expect(FetcherTests.failure(await fixture.fetch("/x")) == .refused)
            #expect(server.asked.last?.range == "bytes=\(Self.half)-")
            #expect(fixture.names(in: ".partial").isEmpty)
        }
    }

    @Test func `a daemon among others removes what has lain untouched for a day, and nothing else`() throws {
        let path = "/tmp/promptd-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        for member: Int64 in [3, 4] {
            var file = try MediaDirectory(path: path, member: member).begin(
                ResultID(job: JobID(1), ordinal: 0),
                source: PartialSource(url: "u", validator: "\"v\"", total: nil)
            )
            try file.write([1, 2, 3])
        }
        let longAgo = Date(timeIntervalSinceNow: -90_000)
        try FileManager.default.setAttributes([.modificationDate: longAgo], ofItemAtPath: path + "/.partial/3")
        try MediaDirectory(path: path, member: 5).removeLeftovers(except: [])
        let names = try FileManager.default.contentsOfDirectory(atPath: path + "/.partial").sorted()
        #expect(names == ["4", "5"])
        #expect(FileManager.default.fileExists(atPath: path + "/.partial/4/1-0"))
    }

    @Test func `a start keeps what is still to be fetched, and removes the rest`() throws {
        let path = "/tmp/promptd-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let media = try MediaDirectory(path: path)
        for job in [Int64(1), 2] {
            var file = try media.begin(
                ResultID(job: JobID(job), ordinal: 0),
                source: PartialSource(url: "u", validator: "\"v\"", total: nil)
            )
            try file.write([1, 2, 3])
        }
        try Data("x".utf8).write(to: URL(filePath: path + "/.partial/9.sidecar"))
        let again = try MediaDirectory(path: path)
        try again.removeLeftovers(except: [ResultID(job: JobID(2), ordinal: 0)])
        let names = try FileManager.default.contentsOfDirectory(atPath: path + "/.partial").sorted()
        #expect(names == ["2-0", "2-0.json"])
        #expect(again.resumable(ResultID(job: JobID(2), ordinal: 0), from: "u")?.offset == 3)
        #expect(again.resumable(ResultID(job: JobID(1), ordinal: 0), from: "u") == nil)
    }

    @Test(
        arguments: [
            (#""v1""#, nil, nil, #""v1""#), (#"W/"v1""#, "Mon", "Tue", nil), ("", "Mon", "Tue", nil),
            (nil, "Mon", "Tue", "Mon"), (nil, "Mon", "Mon", nil), (nil, "Mon", nil, nil), (nil, nil, "Tue", nil),
        ] as [(String?, String?, String?, String?)]
    )
    func `only what is proof goes into If-Range`(tag: String?, modified: String?, date: String?, expected: String?) {
        #expect(MediaRange.validator(entityTag: tag, lastModified: modified, date: date) == expected)
    }

    @Test(arguments: [
        ("bytes 0-9/10", true), ("bytes 5-9/*", true), ("bytes */10", false), ("bytes 9-5/10", false),
        ("bytes 0-10/10", false), ("items 0-9/10", false), ("bytes 0-9", false), ("", false), ("bytes -1-9/10", false),
    ])
    func `a range that makes no sense is none`(text: String, isRange: Bool) {
        #expect((ContentRange(text: text) != nil) == isRange)
    }
}
