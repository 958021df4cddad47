import HTTPTypes
import NIOCore
import Testing

@testable import PromptWeb

/// A browser that has logged in.
struct Visit {
    let fixture: DashboardFixture
    let cookie: String

    init(_ fixture: DashboardFixture) async throws {
        self.fixture = fixture
        let answer = try await Self.logIn(fixture, DashboardFixture.token)
        #expect(answer.status == 303)
        let set = try #require(answer.headers[.setCookie])
        cookie = String(set.prefix { $0 != ";" })
    }

    static let form: HTTPFields = [
        .contentType: "application/x-www-form-urlencoded", .origin: "http://localhost",
    ]

    static func logIn(
        _ fixture: DashboardFixture,
        _ token: String,
        next: String = "/jobs"
    ) async throws -> (status: Int, headers: HTTPFields, body: ByteBuffer) {
        let body = "token=\(URLText.encoded(token))&next=\(URLText.encoded(next))"
        return try await fixture.request(.post, "/login", form, body: body)
    }

    func page(_ place: String) async throws -> String {
        String(buffer: try await fixture.get(place, [.cookie: cookie]).body)
    }

    /// The mark that this login's forms bear.
    func mark() async throws -> String {
        let text = try await page("/")
        let after = try #require(text.split(separator: "name=\"csrf\" value=\"", maxSplits: 1).last)
        return String(after.prefix { $0 != "\"" })
    }

    /// Sends a form as a page of ours does.
    func post(
        _ place: String,
        _ fields: [(String, String)],
        headers: HTTPFields = Visit.form
    ) async throws -> (status: Int, headers: HTTPFields, body: ByteBuffer) {
        var headers = headers
        headers[.cookie] = cookie
        let body = (fields + [("csrf", try await mark())])
            .map { "\(URLText.encoded($0.0))=\(URLText.encoded($0.1))" }.joined(separator: "&")
        return try await fixture.request(.post, place, headers, body: body)
    }

    /// Asks for a change.
    ///
    /// - Returns: the address of the page that shows what it costs, and its text.
    func plan(_ fields: [(String, String)], at place: String = "/changes") async throws -> (place: String, text: String)
    {
        let answer = try await post(place, fields)
        #expect(answer.status == 303, "\(String(buffer: answer.body))")
        let place = try #require(answer.headers[.location])
        return (place, try await page(place))
    }

    /// - Returns: what the page shows after that.
    @discardableResult
    func confirm(_ place: String) async throws -> String {
        let answer = try await post(place, [])
        #expect(answer.status == 303)
        return try await page(try #require(answer.headers[.location]))
    }
}
