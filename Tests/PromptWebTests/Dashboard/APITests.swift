import HTTPTypes
import JobStore
import NIOCore
import PromptQueue
import Testing

@testable import PromptWeb

@Suite struct APITests {
    @Test func `the document names each route, and each route answers`() async throws {
        let fixture = try DashboardFixture()
        try fixture.add("a red fox", batch: "b")
        let document = try await fixture.json("/api/v1/openapi.json")
        #expect(document["openapi"] == "3.1.0")
        let paths = try #require(document["paths"]?.objectValue)
        #expect(
            Set(paths.keys)
                == Set(
                    (API.routes.map(\.path) + API.actions.map(\.path) + [API.live]).map { "/api/v1/\($0)" }
                        + FileRoute.all.map(\.path)
                )
        )
        for (path, operations) in paths where path.hasPrefix("/api/") && !path.hasSuffix(API.live) {
            guard operations.objectValue?["get"] != nil else { continue }
            let answer = try await fixture.get(path.replacing("{id}", with: "1"))
            #expect(answer.status == 200, "\(path)")
            #expect(answer.headers[.contentType] == "application/json")
            #expect(operations.objectValue?["get"]?.objectValue?["summary"]?.stringValue?.isEmpty == false)
        }
    }

    @Test func `the document names what is fetched as a file, and that is one`() async throws {
        let fixture = try DashboardFixture(thumbnailer: TestMaker())
        try fixture.add("a red fox", batch: "b")
        try await fixture.succeed(Array("0123456789".utf8))
        for route in FileRoute.all {
            let path = route.path.replacing("{job}", with: "1").replacing("{ordinal}", with: "0")
            let answer = try await fixture.get(path + (route.takesChoice ? "?batch=b" : ""))
            #expect(answer.status == 200, "\(path)")
            let type = answer.headers[.contentType]?.prefix { $0 != ";" }
            #expect(route.contentTypes.contains { $0 == type.map(String.init) || $0 == "*/*" }, "\(path)")
        }
    }

    @Test func `cursors lead through all jobs, each once`() async throws {
        let fixture = try DashboardFixture()
        for number in 1...23 { try fixture.add("fox \(number)", queue: number % 3 == 0 ? "ads" : "default") }
        for filter in ["", "&queue=default", "&state=queued", "&search=fox", "&state=queued&search=1"] {
            var seen: [Int64] = []
            var next = "/api/v1/jobs?limit=4\(filter)"
            while true {
                let page = try await fixture.json(next)
                let jobs = try #require(page["jobs"]?.arrayValue)
                #expect(jobs.count <= 4)
                seen += jobs.compactMap { $0.objectValue?["id"]?.integerValue }
                guard let cursor = page["next"]?.stringValue else { break }
                next = "/api/v1/jobs?limit=4\(filter)&cursor=\(cursor)"
            }
            #expect(seen == seen.sorted(by: >))
            #expect(Set(seen).count == seen.count)
            let expected = (1...23).filter { number in
                (filter != "&queue=default" || number % 3 != 0)
                    && (!filter.hasSuffix("=1") || "\(number)".hasPrefix("1"))
            }
            #expect(seen.reversed() == expected.map(Int64.init), "\(filter)")
        }
    }

    @Test func `errors are JSON with a code`() async throws {
        let fixture = try DashboardFixture()
        for (place, status, code) in [
            ("jobs?state=x", 400, "bad_request"), ("jobs?colour=red", 400, "bad_request"),
            ("jobs?limit=0", 400, "bad_request"),
            ("jobs?cursor=zz", 400, "bad_request"), ("jobs/5", 404, "not_found"),
            ("spend?per=week", 400, "bad_request"),
            ("spend?since=yesterday", 400, "bad_request"), ("status?x=1", 400, "bad_request"),
        ] {
            let answer = try await fixture.get("/api/v1/\(place)")
            #expect(answer.status == status, "\(place)")
            let error = try JSONValue(parsing: String(buffer: answer.body)).objectValue?["error"]?.objectValue
            #expect(error?["code"]?.stringValue == code)
            #expect(error?["message"]?.stringValue?.isEmpty == false)
        }
    }

    @Test func `a job and the status read as promptctl writes them`() async throws {
        let fixture = try DashboardFixture()
        try fixture.add("a red fox", batch: "b")
        try await fixture.succeed(Array("0123456789".utf8))
        let details = try #require(try fixture.file.details(of: JobID(1)))
        #expect(try await fixture.json("/api/v1/jobs/1") == details.object(latest: nil, now: fixture.now))
        let status = Status(try fixture.file.status(sample: 1_000), processID: 4711, now: fixture.now)
        #expect(
            try await fixture.json("/api/v1/status")
                == JSONValue(parsing: JSONValue.object(status.object).json).objectValue
        )
        let results = try await fixture.json("/api/v1/results?batch=b")["results"]?.arrayValue
        #expect(results?.first?.objectValue?["href"] == "/media/1/0")
        let batches = try await fixture.json("/api/v1/batches")["batches"]?.arrayValue
        #expect(batches?.first?.objectValue?["succeeded"] == 1)
        #expect(batches?.first?.objectValue?["charged_credits"] == 14)
    }
}
