import HTTPTypes
import JobStore
import NIOCore
import PromptQueue
import RecordedLog
import Testing

@testable import PromptWeb

/// Who may change what the pages show.
@Suite struct AccessTests {
    @Test func `without a token nothing can be changed, and pages are as they were`() async throws {
        let fixture = try DashboardFixture()
        let id = try fixture.add("a red fox")
        for place in ["/", "/jobs", "/jobs/1"] {
            let text = try await fixture.text(place)
            #expect(!text.contains("method=\"post\"") && !text.contains("Log in"), "\(place)")
        }
        #expect(try await fixture.get("/login").status == 404)
        for place in ["/login", "/logout", "/changes", "/changes/abc", "/add"] {
            let answer = try await fixture.request(.post, place, Visit.form, body: "token=x&action=cancel&job=1")
            #expect(answer.status == 403, "\(place)")
            #expect(String(buffer: answer.body).contains("web.tokenFile"))
        }
        for action in API.actions {
            let headers: HTTPFields = [
                .contentType: "application/json", .authorization: "Bearer \(DashboardFixture.token)",
            ]
            let answer = try await fixture.request(.post, "/api/v1/\(action.path)", headers, body: "{\"ids\":[1]}")
            #expect(answer.status == 403, "\(action.path)")
        }
        #expect(try fixture.file.details(of: id)?.job.state == .queued)
    }

    @Test func `a login gives a cookie that scripts and other sites do not get`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        #expect(try await fixture.text("/jobs").contains("href=\"/login?next=%2Fjobs\""))
        let answer = try await Visit.logIn(fixture, DashboardFixture.token)
        #expect(answer.status == 303 && answer.headers[.location] == "/jobs")
        let cookie = try #require(answer.headers[.setCookie])
        #expect(cookie.hasPrefix("promptd_session=") && !cookie.contains(DashboardFixture.token))
        for part in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Max-Age=43200"] {
            #expect(cookie.contains(part))
        }
        #expect(fixture.log.lines.contains { $0.hasPrefix("notice: somebody has logged in") })
        #expect(!fixture.log.lines.contains { $0.contains(DashboardFixture.token) })
    }

    @Test func `behind a proxy with TLS the cookie is for https alone`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        var headers = Visit.form
        headers[.origin] = "https://queue.example"
        headers[try #require(HTTPField.Name("Sec-Fetch-Site"))] = "same-origin"
        let answer = try await fixture.request(.post, "/login", headers, body: "token=\(DashboardFixture.token)")
        #expect(answer.status == 303 && answer.headers[.setCookie]?.hasSuffix("; Secure") == true)
        #expect(try await Visit.logIn(fixture, DashboardFixture.token).headers[.setCookie]?.contains("Secure") == false)
    }

    @Test(arguments: [
        "//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\r\nb", "",
    ])
    func `a login leads to pages of our own only`(next: String) async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        #expect(try await Visit.logIn(fixture, DashboardFixture.token, next: next).headers[.location] == "/")
    }

    @Test func `wrong tokens are slowed down, and the right one always passes`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        for _ in 0..<LoginAttempts.limit {
            let answer = try await Visit.logIn(fixture, "wrong")
            #expect(answer.status == 401 && answer.headers[.setCookie] == nil)
        }
        let answer = try await Visit.logIn(fixture, "wrong")
        #expect(answer.status == 429 && answer.headers[.setCookie] == nil)
        #expect(String(buffer: answer.body).contains("Wait for 60 s"))
        #expect(try await Visit.logIn(fixture, DashboardFixture.token).status == 303)
        // Programs are counted by themselves.
        func program(_ token: String) async throws -> Int {
            let headers: HTTPFields = [.contentType: "application/json", .authorization: "Bearer \(token)"]
            return try await fixture.request(.post, "/api/v1/pause", headers, body: "{\"all\":true}").status
        }
        for _ in 0..<LoginAttempts.limit { #expect(try await program("wrong") == 401) }
        #expect(try await program("wrong") == 429)
        #expect(try await program(DashboardFixture.token) == 200)
        fixture.pass(LoginAttempts.window)
        #expect(try await Visit.logIn(fixture, "wrong").status == 401)
        let lines = fixture.log.lines.filter { $0.contains("a wrong token was tried") }
        #expect(lines.count == 2 * LoginAttempts.limit + 1)
        #expect(lines.first == "warning: a wrong token was tried by=page code=unauthorized")
    }

    @Test func `a login does not come back with its token`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        fixture.access.replace(token: DashboardFixture.token, readsNeedToken: false)
        #expect(try await visit.page("/").contains("Log out"))
        for other in ["another-token-of-the-tests", nil] {
            let visit = try await Visit(fixture)
            fixture.access.replace(token: other, readsNeedToken: false)
            fixture.access.replace(token: DashboardFixture.token, readsNeedToken: false)
            #expect(!(try await visit.page("/").contains("Log out")))
        }
        #expect(try await Visit(fixture).page("/").contains("Log out"))
    }

    @Test func `who may not read any more is told nothing more`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token, readsNeedToken: true)
        let ends: [(Visit) async throws -> Void] = [
            { _ = try await $0.post("/logout", []) },
            { _ in fixture.access.replace(token: "another-token-of-the-tests", readsNeedToken: true) },
            { _ in fixture.pass(Session.lifetime + .seconds(1)) },
        ]
        for end in ends {
            fixture.access.replace(token: DashboardFixture.token, readsNeedToken: true)
            let visit = try await Visit(fixture)
            // The stream ends by itself, or this would not.
            async let answer = fixture.get("/api/v1/live", [.cookie: visit.cookie])
            while fixture.dashboard.feed.streams == 0 { await Task.yield() }
            try await end(visit)
            // Whether it has told anything by then is a matter of moments.
            #expect(String(buffer: try await answer.body).hasPrefix("retry: 3000"))
            #expect(try await fixture.get("/api/v1/live", [.cookie: visit.cookie]).status == 401)
        }
    }

    @Test(arguments: [
        ("/jobs", "POST", "GET, HEAD"), ("/changes", "GET", "POST"), ("/add", "DELETE", "GET, POST, HEAD"),
        ("/api/v1/status", "POST", "GET, HEAD"), ("/api/v1/retry", "GET", "POST"),
        ("/api/v1/jobs", "PUT", "GET, POST, HEAD"), ("/api/v1/jobs/1", "DELETE", "GET, HEAD"),
        ("/media/1/0", "POST", "GET, HEAD"), ("/media/1/0/small", "PUT", "GET, HEAD"),
        ("/assets/app.css", "POST", "GET, HEAD"), ("/gallery.zip", "POST", "GET, HEAD"),
        ("/gallery.html", "POST", "GET, HEAD"), ("/gallery.png", "DELETE", "GET, HEAD"),
        ("/healthz", "POST", "GET, HEAD"), ("/readyz", "PATCH", "GET, HEAD"), ("/metrics", "DELETE", "GET, HEAD"),
    ])
    func `another method than those there are is refused with their names`(
        place: String,
        method: String,
        allow: String
    ) async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let answer = try await fixture.request(try #require(HTTPRequest.Method(method)), place)
        #expect(answer.status == 405 && answer.headers[.allow] == allow)
    }

    @Test func `whoever is not logged in any more is told where to`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let answer = try await fixture.request(.post, "/changes/ab", Visit.form, body: "csrf=x")
        #expect(answer.status == 401)
        #expect(String(buffer: answer.body).contains("<p><a href=\"/login?next=%2Fchanges%2Fab\">Log in</a></p>"))
    }

    @Test func `a session ends by itself, by a logout, and with another token`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        #expect(try await visit.page("/").contains("Log out"))
        fixture.pass(Session.lifetime - .seconds(1))
        #expect(try await visit.page("/").contains("Log out"))
        fixture.pass(.seconds(1))
        #expect(!(try await visit.page("/").contains("Log out")))

        let second = try await Visit(fixture)
        let out = try await second.post("/logout", [])
        #expect(out.status == 303 && out.headers[.setCookie]?.contains("Max-Age=0") == true)
        // Whoever has kept the cookie has nothing of it.
        #expect(!(try await second.page("/").contains("Log out")))

        let third = try await Visit(fixture)
        fixture.access.replace(token: DashboardFixture.token, readsNeedToken: false)
        #expect(try await third.page("/").contains("Log out"))
        fixture.access.replace(token: "another-token-of-the-tests", readsNeedToken: false)
        #expect(!(try await third.page("/").contains("Log out")))
    }

    @Test func `a cookie that was tampered with is none`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let visit = try await Visit(fixture)
        let value = String(visit.cookie.dropFirst("promptd_session=".count))
        #expect(fixture.access.session(value) != nil)
        let parts = value.split(separator: ".").map(String.init)
        let later = "\((Int64(parts[0]) ?? 0) + 1)"
        for other in [
            "\(later).\(parts[1]).\(parts[2])", "+\(parts[0]).\(parts[1]).\(parts[2])", "\(parts[0]).\(parts[1])",
            "\(parts[0]).\(parts[1]).", "\(parts[0]).\(String(repeating: "0", count: 32)).\(parts[2])", value + "0",
            String(value.dropLast()), value.uppercased(), "", ".", "..", String(repeating: "9", count: 500),
        ] where other != value {
            #expect(fixture.access.session(other) == nil, "\(other)")
        }
        // Another process, which has drawn another number.
        let other = WebAccess { fixture.now }
        other.replace(token: DashboardFixture.token, readsNeedToken: false)
        #expect(other.session(value) == nil)
    }

    @Test func `what changes something comes from a page of ours, of this login`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        let id = try fixture.add("a red fox", queue: "ads")
        let visit = try await Visit(fixture)
        let mark = try await visit.mark()
        let good: HTTPFields = Visit.form
        func status(_ change: (inout HTTPFields) throws -> Void, mark: String) async throws -> Int {
            var headers = good
            headers[.cookie] = visit.cookie
            try change(&headers)
            let body = "action=pause&queue=ads&csrf=\(mark)"
            return try await fixture.request(.post, "/changes", headers, body: body).status
        }
        let site = try #require(HTTPField.Name("Sec-Fetch-Site"))
        #expect(try await status({ $0[.cookie] = nil }, mark: mark) == 401)
        #expect(try await status({ _ in }, mark: "") == 403)
        #expect(try await status({ _ in }, mark: String(repeating: "0", count: 64)) == 403)
        #expect(try await status({ $0[.origin] = "http://evil.example" }, mark: mark) == 403)
        #expect(try await status({ $0[.origin] = "http://localhost:9999" }, mark: mark) == 403)
        #expect(try await status({ $0[.origin] = "null" }, mark: mark) == 403)
        #expect(try await status({ $0[.origin] = nil }, mark: mark) == 403)
        for value in ["cross-site", "same-site", "none"] {
            #expect(try await status({ $0[site] = value }, mark: mark) == 403, "\(value)")
        }
        #expect(try await status({ $0[.contentType] = "text/plain" }, mark: mark) == 415)
        #expect(try await status({ $0[.contentType] = nil }, mark: mark) == 415)
        #expect(try await status({ $0[.cookie] = "promptd_session=x; promptd_session=\(mark)" }, mark: mark) == 401)
        #expect(try fixture.file.queues().first { $0.name == "ads" }?.isPaused == false)
        let other = try await Visit(fixture)
        #expect(try await status({ _ in }, mark: try await other.mark()) == 403)
        #expect(
            try await fixture.request(.post, "/changes", good, body: String(repeating: "x", count: 300_000)).status
                == 401
        )
        var large = good
        large[.cookie] = visit.cookie
        #expect(
            try await fixture.request(.post, "/changes", large, body: String(repeating: "x", count: 300_000)).status
                == 413
        )
        // Behind a proxy the browser alone knows the page's own address.
        #expect(
            try await status(
                {
                    $0[site] = "same-origin"; $0[.origin] = "https://queue.example"
                },
                mark: mark
            ) == 303
        )
        #expect(try fixture.file.queues().first { $0.name == "ads" }?.isPaused == true)
        #expect(try fixture.file.details(of: id)?.job.state == .queued)
    }

    @Test func `a page of another site cannot send a form, even by going to it`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        var headers = Visit.form
        for (name, value) in [
            ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
        ] {
            headers[try #require(HTTPField.Name(name))] = value
        }
        let answer = try await fixture.request(.post, "/login", headers, body: "token=\(DashboardFixture.token)")
        #expect(answer.status == 403 && answer.headers[.setCookie] == nil)
    }

    @Test func `no GET changes anything`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token)
        try fixture.add("a red fox", queue: "ads")
        let visit = try await Visit(fixture)
        let before = try fixture.file.dataVersion()
        let plan = try await visit.plan([("action", "cancel"), ("job", "1")])
        let places =
            PageTests.places + ["/login", "/add", "/add?like=1", "/logout", "/changes", plan.place]
            + (API.routes.map(\.path) + API.actions.map(\.path)).map { "/api/v1/\($0.replacing("{id}", with: "1"))" }
        for place in places {
            for query in ["", "action=cancel&job=1&queue=ads&token=\(DashboardFixture.token)"] {
                let uri = query.isEmpty ? place : place + (place.contains("?") ? "&" : "?") + query
                for method in [HTTPRequest.Method.get, .head] {
                    let headers: HTTPFields = [
                        .cookie: visit.cookie, .authorization: "Bearer \(DashboardFixture.token)",
                    ]
                    _ = try await fixture.request(method, uri, headers)
                }
            }
        }
        #expect(try fixture.file.dataVersion() == before)
        #expect(try await visit.page("/").contains("Log out"))
    }

    @Test func `pages are shown to those alone who know the token, if that is set`() async throws {
        let fixture = try DashboardFixture(token: DashboardFixture.token, readsNeedToken: true)
        try fixture.add("a secret fox")
        for place in ["/", "/jobs?state=queued", "/jobs/1", "/gallery"] {
            let answer = try await fixture.get(place)
            #expect(answer.status == 303, "\(place)")
            #expect(answer.headers[.location] == "/login?next=\(URLText.encoded(place))")
        }
        for place in ["/api/v1/jobs", "/api/v1/live", "/media/1/0", "/gallery.zip?queue=default"] {
            let answer = try await fixture.get(place)
            #expect(answer.status == 401, "\(place)")
            #expect(!String(buffer: answer.body).contains("secret"))
        }
        #expect(try await fixture.get("/healthz").status == 200)
        #expect(try await fixture.get("/login").status == 200)
        let visit = try await Visit(fixture)
        #expect(try await visit.page("/jobs").contains("a secret fox"))
        let bearer: HTTPFields = [.authorization: "Bearer \(DashboardFixture.token)"]
        #expect(try await fixture.get("/api/v1/jobs", bearer).status == 200)
        #expect(try await fixture.get("/api/v1/jobs", [.authorization: "Bearer wrong"]).status == 401)
    }

    @Test(arguments: ["/nothing", "/media/x/0", "/media/1/x", "/jobs/x", "/assets/none", "/api/v1/none"])
    func `what is not there is answered with the same headers`(place: String) async throws {
        let fixture = try DashboardFixture()
        let answer = try await fixture.get(place)
        #expect((400..<500).contains(answer.status))
        for name in ["Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options"] {
            #expect(HTTPField.Name(name).flatMap { answer.headers[$0] } != nil, "\(name)")
        }
        #expect(answer.headers[.cacheControl] == "no-store")
    }
}
