import ContactSheets
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import PromptQueue
import Synchronization
import Testing

@testable import PromptWeb

/// Contact sheets.
@Suite struct SheetTests {
    private static let hostile = #"a <b>"fox"</b></figure><script>alert(1)</script>"#

    /// Results of two batches, one of them a video.
    private func fixture(
        _ maker: TestMaker?,
        token: String? = nil,
        reads: Bool = false
    ) async throws -> DashboardFixture {
        let fixture = try DashboardFixture(token: token, readsNeedToken: reads, thumbnailer: maker)
        try fixture.add(Self.hostile, batch: "tea & <milk>", labels: ["sku": "A-1"])
        try fixture.add("a grey hen", batch: "tea & <milk>")
        try fixture.add("waves", batch: "tea & <milk>")
        try fixture.add("a red fox", batch: "other")
        // Batches take turns: jobs 1, 4, 2 and 3.
        for type in ["image/png", "image/png", "video/mp4", "image/png"] {
            try await fixture.succeed(Array("0123456789".utf8), type: type)
        }
        return fixture
    }

    private static let batch = "batch=tea+%26+%3Cmilk%3E"

    private func policy(_ headers: HTTPFields) -> String? {
        HTTPField.Name("Content-Security-Policy").flatMap { headers[$0] }
    }

    @Test func `a page has everything in it, and needs nothing else`() async throws {
        let fixture = try await fixture(TestMaker())
        let answer = try await fixture.get("/gallery.html?\(Self.batch)")
        #expect(answer.status == 200)
        #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
        #expect(answer.headers[.contentDisposition] == "attachment; filename=\"tea----milk-.html\"")
        #expect(policy(answer.headers) == "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox")
        #expect(HTTPField.Name("X-Content-Type-Options").flatMap { answer.headers[$0] } == "nosniff")
        #expect(answer.headers[.cacheControl] == "no-store")
        let page = String(buffer: answer.body)
        #expect(page.contains("<title>tea &amp; &lt;milk&gt;</title>"))
        #expect(page.contains("3 results of 3 jobs, the last of 2027-01-15; 42 credits"))
        #expect(page.contains("a &lt;b&gt;&quot;fox&quot;&lt;/b&gt;&lt;/figure&gt;&lt;script&gt;"))
        #expect(page.contains("<li><b>sku</b> A-1</li>"))
        let source = Data(TestPicture.webp.readableBytesView).base64EncodedString()
        #expect(page.components(separatedBy: "<img src=\"data:image/webp;base64,\(source)\"").count == 3)
        #expect(page.contains("<p class=\"file\">2-a.png<br>video/mp4<br>10 B</p>"))
        for word in ["<script", "href=", "http:", "https:", "url(", "a red fox"] { #expect(!page.contains(word)) }
        #expect(page.hasSuffix("</html>\n"))
        // In the order in which they were added, as promptctl gallery has them.
        let places = try ["job-1-0", "job-2-0", "job-3-0"].map { try #require(page.firstRange(of: $0)).lowerBound }
        #expect(places == places.sorted())
    }

    @Test func `one picture is drawn of them, and nothing of its making stays`() async throws {
        let maker = TestMaker()
        let fixture = try await fixture(maker)
        let answer = try await fixture.get("/gallery.png?\(Self.batch)")
        #expect(answer.status == 200)
        #expect(answer.headers[.contentType] == "image/png")
        #expect(answer.headers[.contentDisposition] == "attachment; filename=\"tea----milk-.png\"")
        #expect(policy(answer.headers) == "default-src 'none'; sandbox")
        #expect(String(buffer: answer.body) == TestMaker.picture)
        let drawing = try #require(maker.drawings.first)
        #expect(drawing.components(separatedBy: "<image ").count == 3)
        #expect(drawing.contains("data:image/jpeg;base64,") && drawing.contains("video/mp4"))
        #expect(drawing.contains("a &lt;b&gt;&quot;fox&quot;"))
        #expect(drawing.hasPrefix("<svg ") && drawing.hasSuffix("</svg>\n"))
        let folder = "\(fixture.media)/\(ThumbnailName.folder)/0"
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        // Its small pictures stay, and are not made again.
        #expect(maker.count == 2)
        _ = try await fixture.get("/gallery.png?\(Self.batch)")
        #expect(maker.count == 2)
    }

    @Test func `those that were chosen, of a queue, or found by words, are on it`() async throws {
        let fixture = try await fixture(TestMaker())
        for (query, name, jobs) in [
            ("item=1-0&item=4-0&item=9-9", "results", [1, 4]), ("queue=default", "default", [1, 2, 3, 4]),
            ("search=hen", "results", [2]), ("label=sku%3DA-1", "results", [1]),
            ("batch=other&search=fox", "other", [4]),
        ] {
            let answer = try await fixture.get("/gallery.html?\(query)")
            #expect(answer.status == 200, "\(query)")
            #expect(answer.headers[.contentDisposition] == "attachment; filename=\"\(name).html\"")
            let page = String(buffer: answer.body)
            #expect((1...4).filter { page.contains("id=\"job-\($0)-0\"") } == jobs, "\(query)")
            // And in the archive.
            let archive = try await fixture.get("/gallery.zip?\(query)").body
            let names = String(decoding: archive.readableBytesView, as: UTF8.self)
            #expect((1...4).filter { names.contains("default/\($0)-a.png") } == jobs, "\(query)")
        }
    }

    @Test(arguments: ["html", "png"])
    func `what is not one is refused with a page`(_ type: String) async throws {
        let fixture = try await fixture(TestMaker())
        for (query, status) in [
            ("", 400), ("?state=succeeded", 400), ("?batch=", 400), ("?item=x", 400), ("?item=9-9", 404),
            ("?batch=nosuch", 404), ("?label=x", 400),
        ] {
            let answer = try await fixture.get("/gallery.\(type)\(query)")
            #expect(answer.status == status, "\(query)")
            #expect(answer.headers[.contentDisposition] == nil)
            #expect(policy(answer.headers) == SecurityHeaders<BasicRequestContext>.policy)
        }
    }

    @Test(arguments: ["html", "png"])
    func `where no pictures can be made, it is said what to install`(_ type: String) async throws {
        for maker in [nil, TestMaker(isReady: false)] {
            let answer = try await fixture(maker).get("/gallery.\(type)?batch=other")
            #expect(answer.status == 503)
            #expect(String(buffer: answer.body).contains("apt install libvips-tools"))
        }
    }

    @Test func `what cannot be drawn is said, and what has no small picture is named`() async throws {
        let fixture = try await fixture(TestMaker(failure: PictureFailure("vips exited with 1")))
        let picture = try await fixture.get("/gallery.png?batch=other")
        #expect(picture.status == 503)
        #expect(String(buffer: picture.body).contains("The picture could not be drawn: vips exited with 1."))
        let page = String(buffer: try await fixture.get("/gallery.html?batch=other").body)
        #expect(page.contains("<p class=\"file\">4-a.png<br>image/png<br>10 B</p>"))
    }

    @Test func `whoever waits for small pictures is told how far they are, and what was made is kept`() async throws {
        let patience = Dashboard.patience
        let clock = FixtureClock()
        let maker = TestMaker { _ in clock.pass(patience / 2) }
        let fixture = try await fixture(maker)
        clock.set(fixture)
        let first = try await fixture.get("/gallery.png?queue=default")
        #expect(first.status == 503)
        #expect(first.headers[.retryAfter] == "1")
        #expect(HTTPField.Name("Refresh").flatMap { first.headers[$0] } == "1")
        #expect(String(buffer: first.body).contains("3 of 4 small pictures are ready."))
        #expect(maker.drawings.isEmpty)
        #expect(try await fixture.get("/gallery.png?queue=default").status == 200)
        #expect(maker.count == 3)
        clock.set(nil)
    }

    @Test func `not more than two are made at once`() async throws {
        let fixture = try await fixture(TestMaker())
        let places = [fixture.dashboard.sheets.enter(), fixture.dashboard.sheets.enter()]
        let answer = try await fixture.get("/gallery.html?batch=other")
        #expect(answer.status == 503)
        #expect(String(buffer: answer.body).contains("2 contact sheets are being made already."))
        withExtendedLifetime(places) {}
    }

    @Test func `a place is given back, however it ends`() async throws {
        let fixture = try await fixture(TestMaker())
        for _ in 0..<3 {
            for place in ["html?batch=other", "png?batch=other", "html?batch=nosuch", "png"] {
                _ = try await fixture.get("/gallery.\(place)")
            }
            _ = try await fixture.request(.head, "/gallery.html?batch=other")
        }
        #expect(try await fixture.get("/gallery.html?batch=other").status == 200)
    }

    @Test(arguments: ["html", "png"])
    func `nothing is made for who asks for the headers alone`(_ type: String) async throws {
        let maker = TestMaker()
        let answer = try await fixture(maker).request(.head, "/gallery.\(type)?batch=other")
        #expect(answer.status == 200 && answer.body.readableBytes == 0)
        #expect(maker.count == 0)
    }

    @Test(arguments: ["/gallery.html", "/gallery.png"])
    func `it is as private as the pages`(_ path: String) async throws {
        let fixture = try await fixture(TestMaker(), token: DashboardFixture.token, reads: true)
        let place = path + "?batch=other"
        #expect(try await fixture.get(place).status == 401)
        #expect(try await fixture.get(place, [.authorization: "Bearer \(DashboardFixture.token)"]).status == 200)
        let visit = try await Visit(fixture)
        #expect(try await fixture.get(place, [.cookie: visit.cookie]).status == 200)
        let site = try #require(HTTPField.Name("Sec-Fetch-Site"))
        let (mode, use) = (
            try #require(HTTPField.Name("Sec-Fetch-Mode")), try #require(HTTPField.Name("Sec-Fetch-Dest"))
        )
        let foreign: HTTPFields = [
            site: "cross-site", mode: "navigate", use: "document", .cookie: visit.cookie,
        ]
        #expect(try await fixture.get(place, foreign).status == 403)
        let elsewhere = try DashboardFixture(isLocal: false, thumbnailer: TestMaker())
        #expect(try await elsewhere.get(place).status == 403)
    }

    @Test func `more than fit are refused`() async throws {
        let fixture = try await fixture(TestMaker())
        let choice = try ResultChoice(FormFields("queue=default"))
        let source = fixture.dashboard.source
        #expect(try await SheetContent(choice, most: 4, on: "one page", source).parts.count == 4)
        let problem = await #expect(throws: PageProblem.self) {
            try await SheetContent(choice, most: 3, on: "one page", source)
        }
        #expect(problem?.message.hasPrefix("These are more than 3 results, and no more fit on one page") == true)
    }

    @Test func `the gallery leads to them`() async throws {
        let fixture = try await fixture(TestMaker())
        let page = try await fixture.text("/gallery?\(Self.batch)")
        for type in ["zip", "html", "png"] {
            #expect(page.contains("href=\"/gallery.\(type)?batch=tea%20%26%20%3Cmilk%3E\""), "\(type)")
        }
        #expect(page.contains("formaction=\"/gallery.html\"") && page.contains("formaction=\"/gallery.png\""))
        let found = try await fixture.text("/gallery?queue=default&search=fox")
        #expect(found.contains("href=\"/gallery.png?queue=default&amp;search=fox\""))
        #expect(try await !fixture.text("/gallery").contains("href=\"/gallery.html"))
    }

    @Test(.enabled(if: VipsTools() != nil, "Debian's libvips-tools is not installed"))
    func `a real one is a PNG of the size that its pictures need`() async throws {
        let fixture = try DashboardFixture(thumbnailer: VipsThumbnailer())
        for number in 1...5 { try fixture.add("fox \(number)", batch: "b") }
        for _ in 1...5 { try await fixture.succeed(TestPicture.png(width: 400, height: 300)) }
        let answer = try await fixture.get("/gallery.png?batch=b")
        #expect(answer.status == 200, "\(String(buffer: answer.body))")
        let bytes = answer.body
        #expect(Array(bytes.readableBytesView.prefix(8)) == TestPicture.signature)
        #expect(bytes.getInteger(at: 16, as: UInt32.self) == UInt32(16 + 4 * 336))
        #expect(bytes.getInteger(at: 20, as: UInt32.self) == UInt32(72 + 2 * 380 + 16))
        // Without transparency.
        #expect(bytes.getInteger(at: 25, as: UInt8.self) == 2)
    }
}

/// Lets a fixture's time pass that is made later.
private final class FixtureClock: Sendable {
    private let fixture = Mutex<DashboardFixture?>(nil)

    func set(_ fixture: DashboardFixture?) { self.fixture.withLock { $0 = fixture } }
    func pass(_ time: Duration) { fixture.withLock { $0 }?.pass(time) }
}
