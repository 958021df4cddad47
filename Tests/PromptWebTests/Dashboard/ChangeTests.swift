import HTTPTypes
import JobStore
import NIOCore
import PromptQueue
import RecordedLog
import Testing

@testable import PromptWeb

/// What is done from the pages, and what is said of it before.
@Suite struct ChangeTests {
    /// Jobs 1 succeeded, 2 failed, 3 unconfirmed, 4 running, 5 queued; of batch b, in ads.
    private func fixture() async throws -> DashboardFixture {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        for number in 1...5 { try fixture.add("fox \(number)", queue: "ads", batch: "b") }
        try await fixture.succeed(Array("0123456789".utf8))
        try await fixture.fail()
        try await fixture.lose()
        try await fixture.start()
        return fixture
    }

    private func state(_ id: Int64, _ fixture: DashboardFixture) throws -> JobState? {
        try fixture.file.details(of: JobID(id))?.job.state
    }

    @Test func `a queue is paused at once, and resumed when the cost was shown`() async throws {
        let fixture = try await fixture()
        let visit = try await Visit(fixture)
        #expect(try await visit.page("/").contains("aria-label=\"Pause queue ads\""))
        let answer = try await visit.post("/changes", [("action", "pause"), ("queue", "ads"), ("back", "/")])
        #expect(answer.status == 303 && answer.headers[.location] == "/")
        #expect(try fixture.file.queues().first { $0.name == "ads" }?.isPaused == true)
        #expect(
            fixture.log.lines.contains(
                "notice: changed from the pages action=pause by=page credits=0 jobs=0 queues=ads"
            )
        )
        #expect(try await visit.page("/").contains("aria-label=\"Resume queue ads\""))

        let plan = try await visit.plan([("action", "resume"), ("queue", "ads"), ("back", "/")])
        #expect(plan.text.contains("would resume ads, in which 1 job waits: 14 credits (estimated)"))
        #expect(try fixture.file.queues().first { $0.name == "ads" }?.isPaused == true)
        #expect(try await visit.confirm(plan.place).contains("resumed ads"))
        #expect(try fixture.file.queues().first { $0.name == "ads" }?.isPaused == false)
        #expect(try await visit.post("/changes", [("action", "pause"), ("queue", "adz")]).status == 400)
        #expect(try fixture.file.queues().map(\.name).contains("adz") == false)
        _ = try await visit.post("/changes", [("action", "pause-all")])
        #expect(try fixture.file.queues().allSatisfy(\.isPaused))
        let all = try await visit.plan([("action", "resume-all")])
        try await visit.confirm(all.place)
        #expect(try fixture.file.queues().allSatisfy { !$0.isPaused })
    }

    @Test func `what a change costs is said first, and it is done once`() async throws {
        let fixture = try await fixture()
        let visit = try await Visit(fixture)
        let sentence =
            "retry 1 job: 1 is asked about once more, and paid for if it has really failed, 14 credits (estimated)"
        let plan = try await visit.plan([("action", "retry"), ("job", "2"), ("back", "/jobs/2")])
        #expect(plan.text.contains("would \(sentence)"))
        #expect(plan.text.contains("Retry 1 job for 14 credits"))
        #expect(try state(2, fixture) == .failed)
        #expect(try await visit.page(plan.place) == plan.text)

        #expect(try await visit.confirm(plan.place).contains("retried 1 job: 1 is asked about once more"))
        #expect(try state(2, fixture) == .running)
        #expect(fixture.log.lines.contains("notice: changed from the pages action=retry by=page credits=14 jobs=1"))
        let version = try fixture.file.dataVersion()
        #expect(try await visit.confirm(plan.place).contains("retried 1 job"))
        #expect(try fixture.file.dataVersion() == version)
    }

    @Test func `jobs that stay as they are are named, with the reason`() async throws {
        let fixture = try await fixture()
        let visit = try await Visit(fixture)
        let jobs = (1...5).map { ("job", "\($0)") } + [("job", "9")]
        let plan = try await visit.plan([("action", "cancel")] + jobs)
        #expect(plan.text.contains("would cancel 3 jobs: 2 are at the provider: 28 credits stay charged"))
        for line in ["job 1: has succeeded already", "job 2: has failed already", "job 9: there is no such job"] {
            #expect(plan.text.contains(line))
        }
        #expect(try await visit.confirm(plan.place).contains("cancelled 3 jobs: 2 are at the provider"))
        #expect(
            try (1...5).map { try state($0, fixture)?.rawValue } == [
                "succeeded", "failed", "cancelled", "cancelled", "cancelled",
            ]
        )
    }

    @Test func `all that match are those that matched when it was asked for`() async throws {
        let fixture = try await fixture()
        let visit = try await Visit(fixture)
        let plan = try await visit.plan([("action", "cancel-all"), ("filter", "batch=b&before=9")])
        #expect(plan.text.contains("would cancel 3 jobs: 2 are at the provider: 28 credits stay charged"))
        let later = try fixture.add("fox 6", queue: "ads", batch: "b")
        #expect(try await visit.confirm(plan.place).contains("cancelled 3 jobs"))
        #expect(try state(later.rawValue, fixture) == .queued)
        // By a filter only what has failed is retried.
        let retry = try await visit.plan([("action", "retry-all"), ("filter", "batch=b")])
        #expect(retry.text.contains("would retry 1 job") && retry.text.contains("3 cancelled jobs stayed"))
        let none = try await visit.plan([("action", "retry-all"), ("filter", "state=succeeded")])
        #expect(none.text.contains("Nothing to retry") && !none.text.contains("action=\"\(none.place)\""))
        #expect(try await visit.post("/changes", [("action", "cancel-all"), ("filter", "")]).status == 400)
        #expect(try await visit.post("/changes", [("action", "cancel")]).status == 400)
        #expect(try await visit.post("/changes", [("action", "destroy"), ("job", "1")]).status == 400)
    }

    @Test func `what would cost more by now is shown once more`() async throws {
        let fixture = try await fixture()
        let visit = try await Visit(fixture)
        let plan = try await visit.plan([("action", "retry"), ("job", "2")])
        let add = try await visit.plan([("model", "flux-2/flex-text-to-image"), ("prompt", "a fox")], at: "/add")
        try fixture.file.setPrice(
            PriceOverride(
                model: "flux-2/flex-text-to-image",
                credits: Credits(millicredits: 99_000),
                source: .operator
            )
        )
        let text = try await visit.confirm(plan.place)
        #expect(text.contains("It would cost more by now") && text.contains("99 credits"))
        #expect(try state(2, fixture) == .failed)
        #expect(try await visit.confirm(plan.place).contains("retried 1 job"))
        #expect(try state(2, fixture) == .running)
        #expect(try await visit.confirm(add.place).contains("It would cost more by now"))
        #expect(try fixture.file.ids(matching: JobFilter(), limit: 10).count == 5)
        #expect(
            try await visit.confirm(add.place).contains(
                "queued 1 job in default: flux-2/flex-text-to-image, 99 credits"
            )
        )
        #expect(try fixture.file.ids(matching: JobFilter(), limit: 10).count == 6)
    }

    @Test func `a lost request is settled with the words of promptctl`() async throws {
        let fixture = try await fixture()
        let visit = try await Visit(fixture)
        #expect(try await visit.page("/jobs/3").contains("There is no task: send it again"))
        let again = try await visit.plan([("action", "resubmit"), ("job", "3")])
        #expect(again.text.contains("would queue 1 job again: 14 credits (estimated)"))
        let fail = try await visit.plan([("action", "give-up"), ("job", "3"), ("job", "1")])
        #expect(fail.text.contains("would give up 1 job; 14 credits count as spent"))
        #expect(fail.text.contains("job 1: is succeeded; only unconfirmed jobs need to be settled"))
        let unknown = try await visit.post("/changes", [("action", "follow"), ("job", "3"), ("task", "lost")])
        #expect(unknown.status == 400)
        #expect(String(buffer: unknown.body).contains("the provider does not know it"))
        let follow = try await visit.plan([("action", "follow"), ("job", "3"), ("task", " found ")])
        #expect(follow.text.contains("would follow task found for 1 job"))
        #expect(try await visit.confirm(follow.place).contains("follows task found for 1 job"))
        #expect(try state(3, fixture) == .running)
        // Its other plans have nothing to do any more.
        #expect(
            try await visit.confirm(fail.place).contains("job 3: is running; only unconfirmed jobs need to be settled")
        )
    }

    @Test func `what shows no charge is sent again, all of it`() async throws {
        let fixture = try await fixture()
        let visit = try await Visit(fixture)
        let page = try await visit.page("/jobs?state=unconfirmed")
        #expect(page.contains("value=\"resubmit-uncharged\""))
        let none = try await visit.plan([("action", "resubmit-uncharged"), ("filter", "state=unconfirmed")])
        #expect(none.text.contains("Nothing to settle"))
        let all = try await visit.plan([("action", "resubmit-all"), ("filter", "state=unconfirmed")])
        #expect(all.text.contains("would queue 1 job again: 14 credits (estimated)"))
        #expect(all.text.contains("<a href=\"/jobs/3\">3</a>"))
    }

    @Test func `jobs are made again as new ones, with the cost said first`() async throws {
        let fixture = try await fixture()
        let visit = try await Visit(fixture)
        #expect(try await visit.page("/gallery?batch=b").contains("formaction=\"/again\""))
        #expect(!(try await fixture.text("/gallery?batch=b").contains("formaction=\"/again\"")))
        let page = try await visit.page("/again?item=1-0&item=1-1&item=2-0")
        #expect(page.contains("Make 2 jobs again?"))
        let plan = try await visit.plan([("action", "again"), ("job", "1"), ("job", "2"), ("job", "1")])
        #expect(plan.text.contains("would queue 2 jobs in ads: flux-2/flex-text-to-image, 28 credits"))
        #expect(try await visit.confirm(plan.place).contains("queued 2 jobs in ads"))
        try await visit.confirm(plan.place)
        let jobs = try fixture.file.jobs(matching: JobFilter(), after: JobID(5), limit: 10).map(\.job)
        #expect(jobs.map(\.prompt) == ["fox 1", "fox 2"] && jobs.allSatisfy { $0.batch == "b" && $0.queue == "ads" })
        #expect(try await visit.post("/changes", [("action", "again"), ("job", "99")]).status == 400)
    }

    @Test func `a plan is of one login, and not for ever`() async throws {
        let fixture = try await fixture()
        let visit = try await Visit(fixture)
        let plan = try await visit.plan([("action", "cancel"), ("job", "5")])
        let other = try await Visit(fixture)
        #expect(try await fixture.get(plan.place, [.cookie: other.cookie]).status == 404)
        #expect(try await other.post(plan.place, []).status == 404)
        #expect(try await fixture.get(plan.place).status == 404)
        let late = try await visit.plan([("action", "cancel"), ("job", "5")])
        fixture.pass(ChangePlans.lifetime + .seconds(1))
        #expect(try await visit.post(late.place, []).status == 404)
        for _ in 0..<ChangePlans.limit { _ = try await visit.post("/changes", [("action", "cancel"), ("job", "5")]) }
        #expect(try await visit.post(plan.place, []).status == 404)
        #expect(try state(5, fixture) == .queued)
    }

    @Test func `jobs are added with their price first, and once however often it is sent`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        #expect(try await visit.page("/add").contains("name=\"input.aspect_ratio\""))
        let fields = [
            ("model", "flux-2/flex-text-to-image"), ("prompt", "a red fox\r\nin the snow"),
            ("input.aspect_ratio", "16:9"),
            ("input.resolution", ""), ("queue", "ads"), ("batch", "b"), ("count", "2"),
        ]
        let plan = try await visit.plan(fields, at: "/add")
        #expect(plan.text.contains("would queue 2 jobs in ads: flux-2/flex-text-to-image, 28 credits"))
        #expect(try fixture.file.ids(matching: JobFilter(), limit: 1).isEmpty)
        #expect(try await visit.confirm(plan.place).contains("queued 2 jobs in ads"))
        try await visit.confirm(plan.place)
        let jobs = try fixture.file.jobs(matching: JobFilter(), after: nil, limit: 10).map(\.job)
        #expect(jobs.map(\.prompt) == ["a red fox\nin the snow", "a red fox\nin the snow"])
        #expect(jobs.map(\.input) == Array(repeating: "{\"aspect_ratio\":\"16:9\"}", count: 2))
        #expect(
            Set(jobs.compactMap(\.uniqueKey)).count == 2 && jobs.allSatisfy { $0.uniqueKey?.hasPrefix("web-") == true }
        )
        let like = try await visit.page("/add?like=1")
        #expect(like.contains("<option value=\"16:9\" selected>") && like.contains("a red fox\nin the snow"))
    }

    @Test func `a field that is misspelt is refused, unless it is meant`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        let fields = [("model", "flux-2/flex-text-to-image"), ("prompt", "a fox"), ("other", "apsect_ratio=16:9")]
        let refused = try await visit.post("/add", fields)
        #expect(refused.status == 400)
        let text = String(buffer: refused.body)
        #expect(
            text.contains("Nothing was added") && text.contains("aspect_ratio") && text.contains(">\na fox</textarea>")
        )
        #expect(try await visit.plan(fields + [("allow_unknown", "1")], at: "/add").text.contains("sent as it is"))
        for bad in [
            ("model", "none/such"), ("count", "0"), ("count", "1001"), ("count", "x"), ("input.aspect_ratio", "7:7"),
        ] {
            let rest = [("model", "flux-2/flex-text-to-image"), ("prompt", "a fox")].filter { $0.0 != bad.0 }
            #expect(try await visit.post("/add", rest + [bad]).status == 400, "\(bad)")
        }
        #expect(try fixture.file.ids(matching: JobFilter(), limit: 1).isEmpty)
    }
}
