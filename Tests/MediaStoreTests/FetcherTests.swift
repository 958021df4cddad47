import FoundationEssentials
import HTTPTypes
import PromptQueue
import Synchronization
import Testing

@testable import KieAPI
@testable import MediaStore

/// The fetcher against a server on this machine: what it refuses, continues and keeps.
@Suite(.timeLimit(.minutes(5))) struct FetcherTests {
    /// A file that begins like a PNG, longer than one read of a socket.
    static let image: [UInt8] =
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + (0..<299_988).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        + [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]

    static func saved(_ outcome: DownloadOutcome) -> SavedFile? {
        if case .saved(let file) = outcome { file } else { nil }
    }

    static func failure(_ outcome: DownloadOutcome) -> DownloadFailure? {
        if case .failed(let failure, _) = outcome { failure } else { nil }
    }

    // MARK: - Where it goes

    @Test func `redirects, relative ones too, are followed a few times`() async throws {
        let server = MediaServer { asked, _ in
            switch asked.path {
            case "/a/first": .redirect("../b/second")
            case "/b/second": .redirect("third?x=1")
            case "/b/third": .file(Self.image)
            default: .redirect("/round")
            }
        }
        try await server.run { fixture in
            let outcome = await fixture.fetch("/a/first")
            #expect(Self.saved(outcome)?.path == "ads/7-0.png")
            #expect(server.asked.map(\.path) == ["/a/first", "/b/second", "/b/third"])
            #expect(Self.failure(await fixture.fetch("/round")) == .refused)
            #expect(server.asked.count == 3 + 4)
        }
    }

    @Test(arguments: [
        "http://10.0.0.1/x", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "https://[fd00::1]/x",
        "gopher://127.0.0.1/x", "http://user@127.0.0.1/x", "https://[64:ff9b:1::a00:1]/x", "http://0.0.0.0/",
    ])
    func `a redirect goes through the same check as the first URL`(target: String) async throws {
        let server = MediaServer { _, _ in .redirect(target) }
        try await server.run { fixture in
            #expect(Self.failure(await fixture.fetch("/a")) == .refused)
            #expect(server.asked.count == 1)
        }
    }

    @Test func `a host is resolved once for each request, and connected to where it was checked`() async throws {
        // No resolver but this one knows the name: whoever resolved again would find nothing, or something else.
        let calls = Mutex(0)
        let server = MediaServer { asked, _ in
            asked.path == "/first" ? .redirect("/second") : .file(Self.image)
        }
        try await server.run(resolve: { host in
            guard host == "media.invalid" else { throw HostAddresses.Unresolved() }
            return calls.withLock { calls in
                calls += 1
                return calls <= 3 ? ["127.0.0.1"] : ["10.0.0.1"]
            }
        }) { fixture in
            let port = try #require(fixture.url.split(separator: ":").last)
            #expect(Self.saved(await fixture.fetch("http://media.invalid:\(port)/first")) != nil)
            #expect(calls.withLock { $0 } == 2, "once for each hop")
            // In capitals too it must not slip past the pin.
            #expect(Self.saved(await fixture.fetch("http://MEDIA.invalid:\(port)/second", job: 8)) != nil)
            #expect(Self.failure(await fixture.fetch("http://media.invalid:\(port)/second", job: 9)) == .refused)
            #expect(server.asked.count == 3)
        }
    }

    @Test func `a name that is public first and private later never leads into the private network`() async throws {
        let calls = Mutex(0)
        var policy = URLPolicy(allowsLoopback: false)
        policy.resolve = { _ in
            calls.withLock { calls in
                calls += 1
                return calls == 1 ? ["8.8.8.8"] : ["127.0.0.1"]
            }
        }
        // What is connected to is what this returns, so the first answer can lead nowhere but where it was checked.
        #expect(try await policy.addresses(for: "https://rebound.invalid/x") == ["8.8.8.8"])
        let refusal = await #expect(throws: URLPolicy.Refusal.self) {
            try await policy.addresses(for: "https://rebound.invalid/x")
        }
        #expect(refusal?.isFinal == true)
        #expect(calls.withLock { $0 } == 2)
    }

    @Test func `an address that takes no connection makes way for the next; one bad one spoils the host`() async throws
    {
        let server = MediaServer { _, _ in .file(Self.image) }
        try await server.run(resolve: { host in
            host == "two.invalid" ? ["::1", "127.0.0.1"] : ["127.0.0.1", "192.168.0.1"]
        }) { fixture in
            let port = try #require(fixture.url.split(separator: ":").last)
            #expect(Self.saved(await fixture.fetch("http://two.invalid:\(port)/x")) != nil)
            #expect(Self.failure(await fixture.fetch("http://mixed.invalid:\(port)/x")) == .refused)
        }
    }

    @Test func `clients that nobody uses are bounded in number`() async throws {
        let clients = PinnedClients(MediaClient.configuration(stallTimeout: .seconds(5)), idleLimit: 2)
        for number in 1...5 {
            try await clients.with(Pin(host: "h\(number)", address: "127.0.0.1")) { _ in }
        }
        #expect(clients.count == 2)
        try await clients.with(Pin(host: "h5", address: "127.0.0.1")) { first in
            try await clients.with(Pin(host: "h5", address: "127.0.0.1")) { second in #expect(first === second) }
            try await clients.with(Pin(host: "h5", address: "127.0.0.2")) { second in #expect(first !== second) }
        }
        await clients.shutdown()
        #expect(clients.count == 0)
    }

    // MARK: - What it keeps

    @Test(arguments: [true, false])
    func `a file over the limit is refused, and nothing of it stays`(isAnnounced: Bool) async throws {
        let server = MediaServer { _, _ in
            var reply = MediaServer.Reply.file(Self.image)
            reply.isChunked = !isAnnounced
            return reply
        }
        try await server.run(maximumBytes: 100_000) { fixture in
            #expect(Self.failure(await fixture.fetch("/x")) == .refused)
            #expect(fixture.names(in: ".partial").isEmpty)
            #expect(fixture.names(in: "ads").isEmpty)
        }
    }

    @Test func `while it comes a file is in no folder that anybody looks into`() async throws {
        let server = MediaServer { _, _ in .file(Self.image, cut: 200_000) }
        try await server.run { fixture in
            #expect(Self.failure(await fixture.fetch("/x")) == .passing)
            #expect(fixture.names(in: "").filter { !$0.hasPrefix(".") }.isEmpty)
        }
    }

    @Test func `a link in place of a folder is not followed`() async throws {
        let server = MediaServer { _, _ in .file(Self.image) }
        try await server.run { fixture in
            let outside = fixture.path + "-outside"
            try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: false)
            defer { try? FileManager.default.removeItem(atPath: outside) }
            try FileManager.default.createSymbolicLink(atPath: fixture.path + "/ads", withDestinationPath: outside)
            #expect(Self.failure(await fixture.fetch("/x.png")) == .passing)
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
        }
    }

    @Test func `what the server says of the type is not believed`() async throws {
        let server = MediaServer { _, _ in
            MediaServer.Reply(headers: [.contentType: "image/png"], body: [0, 1, 2, 3])
        }
        try await server.run { fixture in
            let file = Self.saved(await fixture.fetch("/x.png"))
            #expect(file?.path == "ads/7-0.bin")
            #expect(file?.contentType == "application/octet-stream")
        }
    }

    @Test(arguments: ["<html>expired</html>", #"{"error":"expired"}"#, "half a picture"])
    func `an error page, or half a picture, is not the result, and is asked for again`(what: String) async throws {
        let wrong = what == "half a picture" ? Array(Self.image.prefix(100)) : Array(what.utf8)
        let server = MediaServer { _, number in MediaServer.Reply(body: number == 0 ? wrong : Self.image) }
        try await server.run { fixture in
            #expect(Self.failure(await fixture.fetch("/x.png")) == .passing)
            #expect(fixture.names(in: "ads").isEmpty)
            #expect(fixture.names(in: ".partial").isEmpty)
            #expect(Self.saved(await fixture.fetch("/x.png"))?.path == "ads/7-0.png")
        }
    }
}
