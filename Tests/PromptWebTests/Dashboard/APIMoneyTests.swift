import HTTPTypes
import JobStore
import NIOCore
import PromptQueue
import RecordedLog
import Testing

@testable import PromptWeb

/// What programs have done never costs more than they meant.
@Suite struct APIMoneyTests {
    private func post(
        _ fixture: DashboardFixture,
        _ path: String,
        _ body: String,
        key: String? = nil
    ) async throws -> (status: Int, object: JSONObject) {
        var headers: HTTPFields = [
            .contentType: "application/json", .authorization: "Bearer \(DashboardFixture.token)",
        ]
        if let key, let name = HTTPField.Name("Idempotency-Key") { headers[name] = key }
        let answer = try await fixture.request(.post, "/api/v1/\(path)", headers, body: body)
        return (answer.status, try JSONValue(parsing: String(buffer: answer.body)).objectValue ?? [:])
    }

    @Test func `a queue is resumed for as much as was said`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        try fixture.add("a fox", queue: "ads")
        try fixture.file.setPaused(true, queue: "ads")
        let dry = try await post(fixture, "resume", "{\"queues\":[\"ads\"],\"dry_run\":true}")
        #expect(dry.status == 200 && dry.object["estimated_credits"] == 14 && dry.object["dry_run"] == true)
        #expect(try await post(fixture, "resume", "{\"all\":true,\"max_credits\":13.9}").status == 409)
        #expect(try fixture.file.queues().first?.isPaused == true)
        let done = try await post(fixture, "resume", "{\"queues\":[\"ads\"],\"max_credits\":14}")
        #expect(done.status == 200 && done.object["queues"] == .array(["ads"]))
        #expect(try fixture.file.queues().first?.isPaused == false)
        #expect(
            fixture.log.lines.contains(
                "notice: changed from the pages action=resume by=program credits=14 jobs=0 queues=ads"
            )
        )
    }

    @Test func `a filter that says nothing for certain is refused`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let id = try fixture.add("a fox", queue: "ads", batch: "b", labels: ["sku": "A-1"])
        let words = (1...21).map { _ in "fox" }.joined(separator: " ")
        for filter in [
            "\"batch\":\" \"", "\"batch\":[]", "\"label\":[]", "\"batch\":\"\"", "\"queue\":[\"ads\",\"other\"]",
            "\"label\":[\"sku=A-1\",\"sku=A-2\"]", "\"search\":\"\(words)\"", "\"state\":[]", "\"batch\":null",
            "\"search\":\"  \"", "\"batch\":\"b\\u0000\"",
        ] {
            let rest = filter.hasPrefix("\"state\"") ? "\"batch\":\"b\"" : "\"state\":\"queued\""
            let answer = try await post(fixture, "cancel", "{\"filter\":{\(rest),\(filter)}}")
            #expect(answer.status == 400, "\(filter)")
        }
        for job in ["{\"prompt\":\"a\\u0000b\"}", "{\"prompt\":\"a\",\"queue\":\"a\\u0000b\"}"] {
            #expect(try await post(fixture, "jobs", "{\"jobs\":[\(job)]}").status == 400)
        }
        #expect(try fixture.file.details(of: id)?.job.state == .queued)
        #expect(try await post(fixture, "cancel", "{\"filter\":{\"label\":[\"sku=A-1\"]}}").object["changed"] == 1)
    }

    @Test func `no more jobs are changed at once than from the pages`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let job = NewJob(prompt: "a fox", model: "flux-2/flex-text-to-image", input: "{}", queue: "ads")
        _ = try fixture.file.add(Array(repeating: job, count: ChangePlan.mostJobs + 1), now: fixture.now)
        for body in ["{\"filter\":{\"queue\":\"ads\"}}", "{\"filter\":{\"queue\":\"ads\"},\"dry_run\":true}"] {
            let answer = try await post(fixture, "cancel", body)
            #expect(answer.status == 400)
        }
        #expect(try fixture.file.details(of: JobID(1))?.job.state == .queued)
        _ = try fixture.file.apply(.cancel, to: [JobID(1)])
        #expect(try await post(fixture, "cancel", "{\"filter\":{\"queue\":\"ads\"}}").object["changed"] == 10_000)
    }

    @Test func `a request that is repeated after its answer was lost adds nothing twice`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let body = "{\"jobs\":[{\"prompt\":\"a fox\"},{\"prompt\":\"a heron\",\"unique_key\":\"k\"}]}"
        let first = try await post(fixture, "jobs", body, key: "order-7")
        #expect(first.object["ids"] == .array([1, 2]) && first.object["already"] == false)
        let again = try await post(fixture, "jobs", body, key: "order-7")
        #expect(again.status == 200 && again.object["ids"] == .array([1, 2]) && again.object["already"] == true)
        #expect(again.object["estimated_credits"] == 0)
        #expect(try fixture.file.ids(matching: JobFilter(), limit: 10).count == 2)
        // The same key for something else is a mistake.
        let other = try await post(fixture, "jobs", "{\"jobs\":[{\"prompt\":\"an owl\"}]}", key: "order-7")
        #expect(other.status == 409)
        let more =
            "{\"jobs\":[{\"prompt\":\"a fox\"},{\"prompt\":\"a heron\",\"unique_key\":\"k\"},{\"prompt\":\"x\"}]}"
        #expect(try await post(fixture, "jobs", more, key: "order-7").status == 409)
        #expect(try await post(fixture, "jobs", body, key: "order-8").status == 409)
        #expect(try fixture.file.ids(matching: JobFilter(), limit: 10).count == 2)
        for key in ["", "a b", String(repeating: "k", count: 201), "ä"] {
            #expect(try await post(fixture, "jobs", body, key: key).status == 400, "\(key)")
        }
        let dry = try await post(
            fixture,
            "jobs",
            "{\"jobs\":[{\"prompt\":\"an owl\",\"unique_key\":\"k\"}],\"dry_run\":true}"
        )
        #expect(dry.status == 200 && dry.object["taken"]?.arrayValue?.count == 1)
        let free = try await post(
            fixture,
            "jobs",
            "{\"jobs\":[{\"prompt\":\"an owl\"}],\"dry_run\":true}",
            key: "order-9"
        )
        #expect(free.object["taken"] == .array([]) && free.object["already"] == false)
    }
}
