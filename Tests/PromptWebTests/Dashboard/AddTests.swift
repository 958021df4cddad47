import FoundationEssentials
import JobStore
import NIOCore
import PromptQueue
import Testing

@testable import PromptWeb

/// The form that adds jobs.
@Suite struct AddTests {
    private static let model = "flux-2/flex-text-to-image"

    private func added(_ fixture: DashboardFixture) throws -> [JobRecord] {
        try fixture.file.jobs(matching: JobFilter(), after: nil, limit: 10).map(\.job)
    }

    @Test func `priority, time and labels are what the form says`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        let fields = [
            ("model", Self.model), ("prompt", "a fox"), ("priority", "-7"), ("run_at", " 2027-12-24T18:00+01:00 "),
            ("labels", "sku=A-1\r\n\r\n client = acme & sons = co \r\n"),
        ]
        let plan = try await visit.plan(fields, at: "/add")
        #expect(plan.text.contains("14 credits, not before 2027-12-24 17:00"))
        try await visit.confirm(plan.place)
        let job = try #require(try added(fixture).first)
        #expect(job.priority == -7)
        #expect(job.runAt == Instant(iso8601: "2027-12-24T17:00Z"))
        #expect(job.labels == #"{"client":"acme & sons = co","sku":"A-1"}"#)
        // A time that is past is said, as promptctl says it.
        let past = try await visit.plan(
            [("model", Self.model), ("prompt", "a fox"), ("run_at", "2020-01-01T00:00Z")],
            at: "/add"
        )
        #expect(past.text.contains("which is past: it starts at once"))
    }

    @Test(arguments: [
        ("priority", "high", "is no whole number"), ("priority", "1.5", "is no whole number"),
        ("priority", "9223372036854775808", "is no whole number"), ("run_at", "tomorrow", "is no instant"),
        ("run_at", "2027-12-24T18:00", "is no instant"), ("labels", "sku", "is no label"),
        ("labels", "=A-1", "is no label"), ("labels", "sku=1\nsku=2", "sku stands there twice"),
    ])
    func `what the form cannot mean is refused, and stays in it`(
        _ name: String,
        _ value: String,
        _ reason: String
    )
        async throws
    {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        let answer = try await visit.post("/add", [("model", Self.model), ("prompt", "a fox"), (name, value)])
        let page = String(buffer: answer.body)
        #expect(answer.status == 400 && page.contains(reason))
        #expect(try BrowserForm(page, action: "/add")[name]?.replacing("\r\n", with: "\n") == value)
        #expect(try added(fixture).isEmpty)
    }

    /// Texts that pages show otherwise than they are stored.
    private func strange() -> NewJob {
        var job = NewJob(
            prompt: "\n the flag \u{1F3F4}\u{E0067}\u{E0062}\u{E007F}\r\n of \u{202E}England ",
            model: Self.model,
            input: #"{"aspect_ratio":"16:9","own":["one\ntwo"," three "],"seed":7,"style":"a\nb","text":"5"}"#,
            queue: " ads\r\n\u{202E} "
        )
        job.allowsUnknownFields = true
        job.batch = "\u{FEFF}b\tc "
        job.priority = 3
        job.labels = #"{"a b":"c\n d","client":"\u200eacme","sku":7}"#
        return job
    }

    @Test func `another one like a job is like it, to the letter`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        _ = try fixture.file.add([strange()], now: fixture.now)
        let visit = try await Visit(fixture)
        var form = try BrowserForm(try await visit.page("/add?like=1"), action: "/add")
        // What is shown has nothing in it that turns or hides the text around it.
        #expect(form["queue"] == " ads    " && form["queue"]?.unicodeScalars.contains("\u{202E}") == false)
        form["allow_unknown"] = "1"
        // Through the form once more, as after a mistake.
        let again = try await visit.post("/add", form.fields + [("fields", "1")])
        form = try BrowserForm(String(buffer: again.body), action: "/add")
        form["allow_unknown"] = "1"
        try await visit.confirm(try await visit.plan(form.fields, at: "/add").place)
        let jobs = try added(fixture)
        #expect(jobs.count == 2)
        #expect(jobs[1].queue.utf8.elementsEqual(jobs[0].queue.utf8))
        #expect(jobs[1].batch.map { Array($0.utf8) } == jobs[0].batch.map { Array($0.utf8) })
        #expect(jobs[1].prompt.map { Array($0.utf8) } == jobs[0].prompt.map { Array($0.utf8) })
        #expect(parsed(jobs[1].input) == parsed(jobs[0].input))
        #expect(jobs[1].labels.map(parsed) == jobs[0].labels.map(parsed))
        #expect(jobs[1].priority == 3 && jobs[1].model == jobs[0].model)
    }

    @Test func `what somebody has written over it is what he has written`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        _ = try fixture.file.add([strange()], now: fixture.now)
        let visit = try await Visit(fixture)
        var form = try BrowserForm(try await visit.page("/add?like=1"), action: "/add")
        form["queue"] = " films "
        form["batch"] = ""
        form["prompt"] = "a fox\r\nin the snow"
        form["labels"] = "sku=8"
        form["other"] = "text=6\r\nseed=7"
        form["allow_unknown"] = "1"
        try await visit.confirm(try await visit.plan(form.fields, at: "/add").place)
        let job = try added(fixture)[1]
        #expect(job.queue == "films" && job.batch == nil && job.prompt == "a fox\nin the snow")
        #expect(job.labels == #"{"sku":"8"}"#)
        let input = parsed(job.input).objectValue
        #expect(input?["own"] == nil && input?["style"] == nil)
        #expect(input?["aspect_ratio"] == "16:9")
    }

    @Test(arguments: ["/jobs", "/gallery"])
    func `a filter by a stored name stays that filter when it is sent again`(_ path: String) async throws {
        let fixture = try DashboardFixture()
        var job = strange()
        job.batch = "\u{FEFF}b\tc "
        _ = try fixture.file.add([job], now: fixture.now)
        try await fixture.succeed(Array("0123456789".utf8))
        let filter = FormFields().setting("queue", job.queue).setting("batch", job.batch)
        let page = try await fixture.text(path + filter.query)
        let form = try BrowserForm(page, action: path)
        #expect(form["was.queue"] != nil && form["was.batch"] != nil)
        let again = try await fixture.text("\(path)?\(form.query)")
        #expect(again.contains("href=\"/jobs/1\""))
        // And somebody else's, when it was written over.
        var other = form
        other["queue"] = "films"
        #expect(try await !fixture.text("\(path)?\(other.query)").contains("href=\"/jobs/1\""))
    }

    @Test func `only names that a field can hold are suggested`() async throws {
        let fixture = try DashboardFixture()
        _ = try fixture.file.add([strange()], now: fixture.now)
        try fixture.add("a fox", queue: "films")
        let page = try await fixture.text("/jobs")
        #expect(page.contains("<option value=\"films\">") && !page.contains("<option value=\" ads"))
    }
}
