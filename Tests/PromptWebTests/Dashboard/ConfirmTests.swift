import HTTPTypes
import JobStore
import NIOCore
import PromptQueue
import RecordedLog
import Testing

@testable import PromptWeb

/// What was confirmed is what is done: what has changed since it was shown is shown once more.
@Suite struct ConfirmTests {
    private static let note = "It would cost more by now"

    private func state(_ id: JobID, _ fixture: DashboardFixture) throws -> JobState? {
        try fixture.file.details(of: id)?.job.state
    }

    @Test func `a queue in which more waits by now is not resumed`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        try fixture.add("fox 1", queue: "ads")
        try fixture.file.setPaused(true, queue: "ads")
        let plan = try await visit.plan([("action", "resume"), ("queue", "ads")])
        try fixture.add("fox 2", queue: "ads")
        let text = try await visit.confirm(plan.place)
        #expect(text.contains(Self.note) && text.contains("2 jobs wait: 28 credits"))
        #expect(try fixture.file.queues().first?.isPaused == true)
        #expect(try await visit.confirm(plan.place).contains("resumed ads"))
        #expect(try fixture.file.queues().first?.isPaused == false)
        #expect(
            fixture.log.lines.contains(
                "notice: changed from the pages action=resume by=page credits=28 jobs=0 queues=ads"
            )
        )
    }

    @Test func `a job that is at the provider by now is not cancelled for nothing`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        let id = try fixture.add("a fox")
        let plan = try await visit.plan([("action", "cancel"), ("job", "\(id)")])
        #expect(plan.text.contains("would cancel 1 job") && !plan.text.contains("stay charged"))
        try await fixture.start()
        let text = try await visit.confirm(plan.place)
        #expect(text.contains(Self.note) && text.contains("14 credits stay charged"))
        #expect(try state(id, fixture) == .running)
        #expect(try await visit.confirm(plan.place).contains("cancelled 1 job"))
        #expect(try state(id, fixture) == .cancelled)
    }

    @Test func `jobs that are shown as staying stay, whatever becomes of them`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        let failed = try fixture.add("a fox")
        try await fixture.fail()
        let queued = try fixture.add("a heron")
        let plan = try await visit.plan([("action", "cancel"), ("job", "\(failed)"), ("job", "\(queued)")])
        #expect(plan.text.contains("job \(failed): has failed already"))
        try fixture.file.apply(.retry, to: [failed])
        #expect(try await visit.confirm(plan.place).contains("cancelled 1 job"))
        #expect(try state(queued, fixture) == .cancelled)
        #expect(try state(failed, fixture) != .cancelled)
    }

    @Test func `a plan that cannot be made anew may be confirmed later`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        let id = try fixture.add("a fox")
        let plan = try await visit.plan([("action", "cancel"), ("job", "\(id)")])
        try await fixture.start()
        fixture.letOpen(once: true)
        let text = try await visit.confirm(plan.place)
        #expect(text.contains("Nothing was changed") && !text.contains("At work"))
        fixture.letOpen(once: false)
        #expect(try await visit.confirm(plan.place).contains("14 credits stay charged"))
        #expect(try state(id, fixture) == .running)
    }

    @Test func `what a filter does not say for certain changes nothing`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        let id = try fixture.add("a fox", queue: "ads", batch: "b", labels: ["sku": "A-1"])
        let words = (1...21).map { _ in "fox" }.joined(separator: "+")
        for filter in [
            "state=queued&batch=+", "state=queued&batch=", "state=queued&label=", "state=queued&queue=ads&queue=other",
            "state=queued&label=sku%3DA-1&label=sku%3DA-2", "search=\(words)", "state=queued&bacth=c",
            "state=queued&batch=%00", "state=queued&state=",
        ] {
            let answer = try await visit.post("/changes", [("action", "cancel-all"), ("filter", filter)])
            #expect(answer.status == 400, "\(filter)")
        }
        // A form of a browser sends all its fields: what stays empty is not asked for, and not meant.
        let page = try await visit.page("/jobs?state=queued&queue=ads&batch=&label=&model=&search=")
        #expect(page.contains("name=\"filter\" value=\"state=queued&amp;queue=ads\""))
        for query in ["batch=+", "queue=ads&queue=other", "label=sku%3DA-1&label=sku%3DA-2", "search=\(words)"] {
            #expect(try await fixture.get("/jobs?\(query)").status == 400, "\(query)")
        }
        #expect(try await visit.post("/changes", [("action", "cancel"), ("job", "\(id)"), ("x", "\0")]).status == 400)
        #expect(try state(id, fixture) == .queued)
    }

    @Test(arguments: ["a\u{202E}b", "a b", "x\ny", "e\u{301}\"<b>", "a  b", "x\r\ny", "50%41"])
    func `the very queue is resumed that is shown`(name: String) async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        for queue in [name, "a b", "x y"] {
            try fixture.add("a fox", queue: queue)
            try fixture.file.setPaused(true, queue: queue)
        }
        let page = try await visit.page("/")
        let field = "name=\"queue-encoded\" value=\"\(URLText.encoded(name))\""
        #expect(page.contains(field))
        let plan = try await visit.plan([("action", "resume"), ("queue-encoded", URLText.encoded(name))])
        try await visit.confirm(plan.place)
        #expect(try fixture.file.queues().filter { !$0.isPaused && $0.name != "default" }.map(\.name) == [name])
    }

    @Test func `jobs are of the model that was shown`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        let form = [("shown", "flux-2/flex-text-to-image"), ("prompt", "a fox"), ("input.aspect_ratio", "16:9")]
        for more in [[("model", "z-image")], [("model", "z-image"), ("fields", "1")]] {
            let answer = try await visit.post("/add", form + more)
            let text = String(buffer: answer.body)
            #expect(answer.status == 200 && text.contains("name=\"shown\" value=\"z-image\""))
            #expect(text.contains(">\na fox</textarea>"))
        }
        let plan = try await visit.plan([("model", "flux-2/flex-text-to-image")] + form, at: "/add")
        #expect(plan.text.contains("would queue 1 job in default: flux-2/flex-text-to-image, 14 credits"))
    }
}
