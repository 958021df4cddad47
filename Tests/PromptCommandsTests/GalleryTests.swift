import ContactSheets
import FoundationEssentials
import JobStore
import PromptQueue
import Testing

@testable import PromptCommands

/// Results side by side.
@Suite(.bothStores) struct GalleryTests {
    /// A PNG of one grey dot.
    private static let dot = Data(
        base64Encoded:
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
    )
    private static let hasVips = VipsTools() != nil

    /// - Parameter hasPrograms: whether the tools that make small pictures can be found.
    private func fixture() async throws -> CommandFixture {
        let fixture = try CommandFixture()
        let prompt = #"a <b>"fox"</b> & 'hen'</figure><script>alert(1)</script>"#
        let label = "sku=A-1 <i>"
        _ = try await fixture.run(
            "add",
            prompt,
            "-b",
            "tea <1>",
            "--label",
            label,
            "-i",
            "seed=7",
            "-i",
            "aspect_ratio=16:9"
        )
        _ = try await fixture.run("add", "a grey hen", "-b", "tea <1>")
        try await fixture.submit(.succeeded, .succeeded)
        let folder = fixture.directory + "/media/default"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for job in 1...2 { try fixture.write([UInt8](try #require(Self.dot)), "media/default/\(job)-0.png") }
        return fixture
    }

    private func run(
        _ fixture: CommandFixture,
        _ arguments: [String],
        tools: Bool = true
    ) async throws -> CommandFixture.Outcome {
        try await fixture.run(
            ["gallery"] + arguments,
            environment: ["PROMPTD_MEDIA": fixture.directory + "/media", "PATH": tools ? "/usr/bin:/bin" : "/nowhere"]
        )
    }

    private func read(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    @Test func `a page shows each result with what it came from, and does nothing else`() async throws {
        let fixture = try await fixture()
        let path = fixture.directory + "/contact.html"
        let outcome = try await run(fixture, ["-b", "tea <1>", "-o", path], tools: false)
        #expect(outcome.code == 0, "\(outcome.talk)")
        #expect(outcome.talk.first?.contains("apt install libvips-tools") == true)
        #expect(outcome.talk.last == "wrote 2 results to \(path)")
        let page = read(path)
        #expect(page.contains("<title>tea &lt;1&gt;</title>"))
        #expect(page.contains("2 results of 2 jobs"))
        #expect(page.contains("28 credits"))
        #expect(page.contains("<img src=\"media/default/1-0.png\""))
        #expect(page.contains("a &lt;b&gt;&quot;fox&quot;&lt;/b&gt; &amp; &#39;hen&#39;&lt;/figure&gt;&lt;script&gt;"))
        #expect(page.contains("<b>sku</b> A-1 &lt;i&gt;"))
        #expect(page.contains("<dt>seed</dt><dd>7</dd>") && page.contains("<dt>aspect_ratio</dt><dd>16:9</dd>"))
        #expect(page.contains("<dt>credits</dt><dd>14</dd>"))
        #expect(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"))
        #expect(page.hasSuffix("</html>\n"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: fixture.directory).filter { $0 != "q.sqlite" }.sorted()
                == ["contact.html", "media"]
        )
    }

    @Test func `a file that is there stays, unless it is said that it may go`() async throws {
        let fixture = try await fixture()
        let path = try fixture.write("mine", "contact.html")
        let refused = try await run(fixture, ["1", "-o", path], tools: false)
        #expect(refused.code == 73)
        #expect(refused.talk.last == "promptctl: \(path): is there already; --force writes over it")
        #expect(read(path) == "mine")
        #expect(try await run(fixture, ["1", "-o", path, "--force"], tools: false).code == 0)
        #expect(read(path).contains("1 result of 1 job"))
    }

    @Test func `on standard output links begin at the root`() async throws {
        let fixture = try await fixture()
        let outcome = try await run(fixture, ["2", "-o", "-", "--title", "Hens"], tools: false)
        #expect(outcome.code == 0)
        let page = outcome.output.joined(separator: "\n")
        #expect(page.contains("<h1>Hens</h1>"))
        #expect(page.contains("href=\"file://\(fixture.directory)/media/default/2-0.png\""))
    }

    @Test(.enabled(if: GalleryTests.hasVips)) func `small pictures are in the page itself`() async throws {
        let fixture = try await fixture()
        let path = fixture.directory + "/contact.html"
        let outcome = try await run(fixture, ["-b", "tea <1>", "-o", path])
        #expect(outcome.code == 0 && outcome.talk.count == 1, "\(outcome.talk)")
        #expect(read(path).components(separatedBy: "<img src=\"data:image/jpeg;base64,/9j/").count == 3)
        #expect(read(path).contains("<a href=\"media/default/1-0.png\">"))
    }

    @Test(.enabled(if: GalleryTests.hasVips)) func `a picture shows them all`() async throws {
        let fixture = try await fixture()
        let path = fixture.directory + "/contact.png"
        #expect(try await run(fixture, ["-b", "tea <1>", "-o", path]).code == 0)
        let data = try #require(FileManager.default.contents(atPath: path))
        #expect(data.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        #expect(try await run(fixture, ["-b", "tea <1>", "-o", path]).code == 73)
        // Nothing is left where it was made.
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: fixture.directory).filter { $0 != "q.sqlite" }.sorted()
                == ["contact.png", "media"]
        )
    }

    @Test func `what a picture needs is said`() async throws {
        let fixture = try await fixture()
        let path = fixture.directory + "/contact.png"
        let outcome = try await run(fixture, ["1", "-o", path], tools: false)
        #expect(outcome.code == 69)
        #expect(outcome.talk.last?.contains("Debian: apt install libvips-tools") == true)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `videos and sounds can be played, and other files be opened`() {
        func figure(_ type: String) -> String {
            GalleryPage.figure(Self.item(type), thumbnail: nil, link: GalleryPage.url("../a b/x?#%é.mp4"))
        }
        let link = "../a%20b/x%3F%23%25%C3%A9.mp4"
        #expect(figure("video/mp4").contains("<video src=\"\(link)\" controls"))
        #expect(figure("audio/mpeg").contains("<audio src=\"\(link)\" controls"))
        #expect(figure("application/zip").contains("<a class=\"file\" href=\"\(link)\">"))
        // Where nothing can be linked to, each is named.
        for type in ["image/png", "video/mp4", "application/zip"] {
            let figure = GalleryPage.figure(Self.item(type), thumbnail: nil, link: nil)
            #expect(figure.contains("<p class=\"file\">x.mp4<br>\(type)<br>5 B</p>"), "\(figure)")
            #expect(!figure.contains("href") && !figure.contains("src"))
        }
    }

    private static func item(_ type: String) -> GalleryItem {
        let job = JobRecord(
            id: JobID(1),
            state: .succeeded,
            queue: "default",
            batch: nil,
            model: "m",
            priority: 0,
            runAt: nil,
            prompt: nil,
            input: "{}",
            labels: nil,
            uniqueKey: nil,
            attemptCount: 1,
            maxAttempts: 3,
            taskID: nil,
            providerState: nil,
            estimated: nil,
            estimateBasis: nil,
            charged: nil,
            errorCode: nil,
            errorMessage: nil,
            createdAt: Instant(milliseconds: 0),
            submittedAt: nil,
            finishedAt: nil,
            prunedAt: nil,
            files: []
        )
        return GalleryItem(job: job, ordinal: 0, path: "/m/x.mp4", contentType: type, bytes: 5)
    }

    @Test(arguments: [["-o", "x.gif", "1"], ["-o", "x.html"], ["-o", "x.html", "1", "-b", "b"], ["1"]])
    func `what is not said clearly is refused`(arguments: [String]) async throws {
        let fixture = try CommandFixture()
        #expect(try await fixture.run(["gallery"] + arguments).code == 64)
    }
}
