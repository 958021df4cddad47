import HTTPTypes
import JobStore
import NIOCore
import PromptQueue
import Testing

@testable import PromptWeb

@Suite struct PageTests {
    static let places = [
        "/", "/jobs", "/jobs/1", "/gallery", "/gallery?batch=b", "/batches", "/schedules", "/budgets",
        "/models",
        "/jobs?state=failed",
        "/assets/app.css", "/assets/app.js", "/assets/icon.svg",
    ]

    @Test(arguments: places)
    func `each page is served with headers that let it load nothing foreign`(_ place: String) async throws {
        let fixture = try DashboardFixture()
        try fixture.add("a red fox", batch: "b")
        let answer = try await fixture.get(place)
        #expect(answer.status == 200)
        let policy = try #require(HTTPField.Name("Content-Security-Policy").flatMap { answer.headers[$0] })
        #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self'"))
        #expect(policy.contains("frame-ancestors 'none'"))
        #expect(!policy.contains("unsafe"))
        #expect(HTTPField.Name("X-Content-Type-Options").flatMap { answer.headers[$0] } == "nosniff")
        #expect(HTTPField.Name("Referrer-Policy").flatMap { answer.headers[$0] } == "same-origin")
        let text = String(buffer: answer.body)
        #expect(!text.contains("style=\"") && !text.contains("onclick"))
        #expect(!text.contains("{{") || place.hasPrefix("/assets"))
    }

    @Test func `schedules are listed with their next and last runs`() async throws {
        let fixture = try DashboardFixture()
        #expect(try await fixture.text("/schedules").contains("Nothing recurs."))
        var schedule = ScheduleRecord(
            name: "hero",
            cron: "0 9 * * MON",
            timeZone: "Europe/Berlin",
            job: NewJob(prompt: "a <tin> of tea", model: "z-image", input: "{}", queue: "ads"),
            createdAt: fixture.now
        )
        schedule.nextRunAt = fixture.now
        schedule.limit = Credits(millicredits: 30_000)
        try fixture.file.add(schedule, replaces: false)
        schedule.name = "idle"
        schedule.isEnabled = false
        try fixture.file.add(schedule, replaces: false)
        let text = try await fixture.text("/schedules")
        #expect(text.contains("<code>0 9 * * MON</code><small>Europe/Berlin</small>"))
        #expect(text.contains("a &lt;tin&gt; of tea"))
        #expect(text.contains("<time datetime=\"2027-01-15T08:00:00.000Z\">"))
        #expect(text.ranges(of: ">paused</span>").count == 1)
        let list = try await fixture.json("/api/v1/schedules")["schedules"]?.arrayValue ?? []
        #expect(list.map { $0.objectValue?["name"] } == ["hero", "idle"])
    }

    @Test func `a job shows its chain: what it takes, and who takes its result`() async throws {
        let fixture = try DashboardFixture()
        try fixture.add("a still")
        for number in [1, 2] {
            let job = NewJob(
                prompt: "moves",
                model: "z-image",
                input: "{\"image_url\":\"job:\(number)\"}",
                queue: "default"
            )
            _ = try fixture.file.add([job], now: fixture.now)
        }
        let text = try await fixture.text("/jobs/2")
        #expect(text.contains("<h2>Chain</h2>"))
        #expect(text.contains("<a href=\"/jobs/1\">job 1</a>") && text.contains("its result is taken"))
        #expect(text.contains("<strong>job 2</strong>") && text.contains("this one, waits for job 1"))
        #expect(text.contains("<a href=\"/jobs/3\">job 3</a>") && text.contains("takes its result (takes job:2)"))
        #expect(try await !DashboardFixture.alone().contains("<h2>Chain</h2>"))
    }

    @Test func `what others wrote is text, whatever it is`() async throws {
        let fixture = try DashboardFixture()
        // The accent makes one character of it and the quotation mark before it.
        let hostile = "<script>alert(1)</script>\"\u{301} onmouseover='x' <\u{338}img src=x>"
        try fixture.add(
            hostile,
            queue: hostile,
            batch: hostile,
            labels: [hostile.filter { $0 != "\"" }: .string(hostile)]
        )
        try fixture.file.setBudget(hostile, scope: BudgetScope(queue: hostile), period: .day, limit: .zero)
        for place in ["/", "/jobs", "/jobs/1", "/batches", "/budgets", "/gallery?batch=\(URLText.encoded(hostile))"] {
            let text = try await fixture.text(place)
            #expect(!text.contains("<script>alert"), "\(place)")
            #expect(!text.unicodeScalars.contains { $0 == "\u{338}" } || text.contains("&lt;\u{338}img"), "\(place)")
            #expect(!text.utf8.elementsEqual(hostile.utf8))
            #expect(
                text.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;\u{301} onmouseover=&#39;x&#39;"),
                "\(place)"
            )
        }
    }

    @Test func `several accounts are shown each by itself`() async throws {
        let fixture = try DashboardFixture()
        #expect(try await !fixture.text("/").contains("Account default"))
        let limits = [AccountName.standard, AccountName(stored: "acme")].map {
            AccountLimits(
                name: $0,
                rate: RateLimit(count: 20, window: .seconds(10)),
                runningLimit: 100,
                rules: AccountRules()
            )
        }
        let identity = DaemonIdentity(processID: 1, version: "v", accounts: limits)
        try await fixture.ledger.begin(identity, now: Instant(milliseconds: 1_800_000_000_000))
        let text = try await fixture.text("/")
        for part in ["All accounts", "Account default", "Account acme", "0 of 20 requests in 10 s, 0 of 100 run"] {
            #expect(text.contains(part), "\(part)")
        }
        let accounts = try await fixture.json("/api/v1/status")["accounts"]?.arrayValue ?? []
        #expect(accounts.compactMap { $0.objectValue?["account"]?.stringValue } == ["default", "acme"])
    }

    @Test(arguments: ["9223372036854775807", "9223372036854775806", "1", "0", "-1", "-9223372036854775808"])
    func `no place in a list is too far`(id: String) async throws {
        let fixture = try DashboardFixture()
        try fixture.add("a red fox", batch: "b")
        for place in ["/jobs?after=", "/jobs?before=", "/gallery?after=", "/gallery?before=", "/api/v1/jobs?cursor="] {
            let status = try await fixture.get(place + id).status
            #expect(status == 200 || status == 400, "\(place)")
        }
    }

    @Test func `what a page of another site asks for is refused, but for links to pages`() async throws {
        let fixture = try DashboardFixture()
        func status(_ place: String, _ site: String, mode: String, dest: String) async throws -> Int {
            var headers = HTTPFields()
            for (name, value) in [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest)] {
                headers[try #require(HTTPField.Name(name))] = value
            }
            return try await fixture.get(place, headers).status
        }
        #expect(try await status("/jobs", "cross-site", mode: "no-cors", dest: "image") == 403)
        #expect(try await status("/jobs", "same-site", mode: "cors", dest: "empty") == 403)
        #expect(try await status("/jobs", "cross-site", mode: "navigate", dest: "iframe") == 403)
        #expect(try await status("/jobs", "cross-site", mode: "navigate", dest: "document") == 200)
        #expect(try await status("/api/v1/status", "cross-site", mode: "navigate", dest: "document") == 403)
        #expect(try await status("/api/v1/status", "same-origin", mode: "cors", dest: "empty") == 200)
        #expect(try await status("/jobs", "none", mode: "navigate", dest: "document") == 200)
    }

    @Test func `a page says what was not understood`() async throws {
        let fixture = try DashboardFixture()
        #expect(try await fixture.get("/jobs?state=broken").status == 400)
        #expect(try await fixture.text("/jobs?state=broken").contains("&quot;broken&quot; is not one of queued"))
        #expect(try await fixture.get("/jobs?label=sku").status == 400)
        #expect(try await fixture.get("/jobs?before=x").status == 400)
        #expect(try await fixture.get("/jobs/77").status == 404)
        #expect(try await fixture.get("/jobs/x").status == 400)
    }

    @Test func `jobs are found by words, labels and names, a page at a time`() async throws {
        let fixture = try DashboardFixture()
        for number in 1...60 {
            try fixture.add("\(number % 2 == 0 ? "Fox" : "heron") \(number)", labels: ["sku": .string("A-\(number)")])
        }
        let foxes = try await fixture.text("/jobs?search=fox")
        #expect(foxes.contains("Fox 60") && !foxes.contains("heron"))
        #expect(try await fixture.text("/jobs?label=sku%3DA-7").contains("heron 7"))
        let first = try await fixture.text("/jobs")
        #expect(first.contains(">60</a>") && !first.contains(">10</a>"))
        #expect(first.contains("/jobs?before=11"))
        let second = try await fixture.text("/jobs?before=11")
        #expect(second.contains(">10</a>") && second.contains(">1</a>") && second.contains("/jobs?after=10"))
        #expect(try await fixture.text("/jobs?after=10").contains(">60</a>"))
        #expect(try await fixture.text("/jobs?search=nothing").contains("No job is like that."))
    }

    @Test func `the overview names what is to be done`() async throws {
        let fixture = try DashboardFixture()
        try fixture.add("a red fox", queue: "ads")
        #expect(try await fixture.text("/").contains("Nothing needs you."))
        try fixture.file.setPaused(true, queue: "ads")
        let text = try await fixture.text("/")
        #expect(text.contains("Queue ads is paused") && text.contains("promptctl queue resume ads"))
        #expect(!text.contains("Nothing needs you."))
    }

    @Test func `prompts and pictures are shown on the machine's own address alone`() async throws {
        let fixture = try DashboardFixture(isLocal: false)
        try fixture.add("a secret fox")
        for place in ["/", "/jobs", "/jobs/1", "/media/1/0", "/gallery.zip?queue=default", "/api/v1/jobs"] {
            let answer = try await fixture.get(place)
            #expect(answer.status == 403)
            #expect(!String(buffer: answer.body).contains("secret"))
        }
        #expect(try await fixture.get("/healthz").status == 200)
    }

    @Test func `every template is whole`() throws {
        let library = try PageLibrary()
        #expect(
            library.render("message", MessageView(frame: Frame("Not <here>"), message: "a & b"))?.contains(
                "Not &lt;here&gt;"
            ) == true
        )
    }
}
