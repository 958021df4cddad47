import HTTPTypes
import JobStore
import NIOCore
import PromptQueue
import RecordedLog
import Testing

@testable import PromptWeb

/// What programs have done, with the token.
@Suite struct APIActionTests {
    private func post(
        _ fixture: DashboardFixture,
        _ path: String,
        _ body: String,
        token: String? = DashboardFixture.token,
        type: String = "application/json"
    ) async throws -> (status: Int, object: JSONObject) {
        var headers: HTTPFields = [.contentType: type]
        headers[.authorization] = token.map { "Bearer \($0)" }
        let answer = try await fixture.request(.post, "/api/v1/\(path)", headers, body: body)
        return (answer.status, try JSONValue(parsing: String(buffer: answer.body)).objectValue ?? [:])
    }

    @Test func `a token is needed, and a cookie is none`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let id = try fixture.add("a red fox")
        let visit = try await Visit(fixture)
        for token in [nil, "wrong", ""] {
            #expect(try await post(fixture, "cancel", "{\"ids\":[1]}", token: token).status == 401)
        }
        let headers: HTTPFields = [
            .contentType: "application/json", .cookie: visit.cookie, .origin: "http://localhost",
        ]
        #expect(try await fixture.request(.post, "/api/v1/cancel", headers, body: "{\"ids\":[1]}").status == 401)
        let typed = try await post(fixture, "cancel", "{\"ids\":[1]}", type: "text/plain")
        #expect(typed.status == 415 && typed.object["error"]?.objectValue?["code"] == "unsupported_media_type")
        for body in [
            "", "[]", "{", "{\"ids\":[1],\"colour\":1}", "{\"ids\":[\"1\"]}", "{}",
            "{\"ids\":[1],\"filter\":{\"batch\":\"b\"}}",
            "{\"filter\":{}}", "{\"filter\":{\"colour\":\"red\"}}", "{\"ids\":[1],\"dry_run\":\"yes\"}",
        ] {
            let answer = try await post(fixture, "cancel", body)
            #expect(answer.status == 400, "\(body)")
            #expect(answer.object["error"]?.objectValue?["message"]?.stringValue?.isEmpty == false)
        }
        #expect(try fixture.file.details(of: id)?.job.state == .queued)
    }

    @Test func `jobs are added, changed and settled as promptctl does`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let job =
            "{\"prompt\":\"a fox\",\"queue\":\"ads\",\"batch\":\"b\",\"unique_key\":\"k\",\"labels\":{\"sku\":\"A-1\"}}"
        let dry = try await post(fixture, "jobs", "{\"jobs\":[\(job)],\"dry_run\":true}")
        #expect(dry.status == 200 && dry.object["estimated_credits"] == 14 && dry.object["ids"] == .array([]))
        #expect(try await post(fixture, "jobs", "{\"jobs\":[\(job)],\"max_credits\":13.9}").status == 409)
        let added = try await post(fixture, "jobs", "{\"jobs\":[\(job)],\"max_credits\":14}")
        #expect(added.status == 200 && added.object["ids"] == .array([1]))
        let again = try await post(fixture, "jobs", "{\"jobs\":[\(job)]}")
        #expect(again.status == 409 && again.object["error"]?.objectValue?["code"] == "conflict")
        let misspelt = try await post(
            fixture,
            "jobs",
            "{\"jobs\":[{\"prompt\":\"x\",\"input\":{\"apsect_ratio\":\"1:1\"}}]}"
        )
        #expect(misspelt.status == 400)
        #expect(misspelt.object["error"]?.objectValue?["message"]?.stringValue?.contains("aspect_ratio") == true)
        #expect(try await post(fixture, "jobs", "{\"jobs\":[{\"promt\":\"x\"}]}").status == 400)

        let filter = "{\"filter\":{\"batch\":\"b\",\"label\":\"sku=A-1\",\"state\":[\"queued\",\"running\"]}"
        let cancel = try await post(fixture, "cancel", filter + ",\"dry_run\":true}")
        #expect(cancel.object["changed"] == 1 && cancel.object["dry_run"] == true)
        #expect(try fixture.file.details(of: JobID(1))?.job.state == .queued)
        #expect(try await post(fixture, "cancel", filter + "}").object["changed"] == 1)
        #expect(try fixture.file.details(of: JobID(1))?.job.state == .cancelled)
        #expect(try await post(fixture, "retry", "{\"ids\":[1],\"max_credits\":1}").status == 409)
        let retry = try await post(fixture, "retry", "{\"ids\":[1,9]}")
        #expect(retry.object["to_pay"] == 1 && retry.object["estimated_credits"] == 14)
        #expect(retry.object["refused"]?.arrayValue?.count == 1)

        try await fixture.lose()
        #expect(try await post(fixture, "resolve", "{\"ids\":[1],\"task\":\"lost\"}").status == 409)
        #expect(try await post(fixture, "resolve", "{\"ids\":[1],\"resubmit\":true,\"fail\":true}").status == 400)
        #expect(try await post(fixture, "resolve", "{\"ids\":[1],\"task\":\"found\"}").object["resumed"] == 1)
        #expect(try fixture.file.details(of: JobID(1))?.job.state == .running)
    }

    @Test func `queues are paused and resumed, and it stands in the log`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        try fixture.add("a fox", queue: "ads")
        #expect(try await post(fixture, "pause", "{\"queues\":[\"ads\"]}").object["queues"] == .array(["ads"]))
        #expect(try fixture.file.queues().first?.isPaused == true)
        #expect(try await post(fixture, "pause", "{\"queues\":[\"adz\"]}").status == 400)
        #expect(try await post(fixture, "resume", "{\"queues\":[\"ads\"],\"all\":true}").status == 400)
        #expect(try await post(fixture, "resume", "{\"all\":true}").status == 200)
        #expect(try fixture.file.queues().first?.isPaused == false)
        #expect(
            fixture.log.lines.contains(
                "notice: changed from the pages action=pause by=program credits=0 jobs=0 queues=ads"
            )
        )
    }
}
