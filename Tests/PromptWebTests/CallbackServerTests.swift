import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import PromptWeb
import RecordedLog
import Synchronization
import Testing

@Suite struct CallbackServerTests {
    private static let token = "0123456789abcdef0123456789abcdef"
    private static let path = "/callbacks/kie/\(token)"
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private final class Desk: Sendable {
        private let seen = Mutex<[IncomingCallback]>([])
        var callbacks: [IncomingCallback] { seen.withLock { $0 } }
        func receive(_ callback: IncomingCallback, _ outcome: CallbackOutcome) -> CallbackOutcome {
            seen.withLock { $0.append(callback) }
            return outcome
        }
    }

    private struct Answer {
        var status: Int
        var body: String
        var headers: HTTPFields
        var callbacks: [IncomingCallback]
        var counter: CallbackCounter
    }

    private func send(
        _ method: HTTPRequest.Method = .post,
        _ path: String = path,
        headers: HTTPFields = [:],
        body: String = "{}",
        outcome: CallbackOutcome = .accepted,
        limit: Int = 1_024,
        through kind: TestingSetup = .router
    ) async throws -> Answer {
        let desk = Desk()
        let counter = CallbackCounter(logger: Self.quiet) { .zero }
        var limits = CallbackLimits()
        limits.body = limit
        let application = CallbackServer.application(
            host: "127.0.0.1",
            port: 0,
            limits: limits,
            counter: counter,
            logger: Self.quiet,
            receive: { desk.receive($0, outcome) }
        )
        return try await application.test(kind) { client in
            try await client.execute(uri: path, method: method, headers: headers, body: ByteBuffer(string: body)) {
                Answer(
                    status: $0.status.code,
                    body: String(buffer: $0.body),
                    headers: $0.headers,
                    callbacks: desk.callbacks,
                    counter: counter
                )
            }
        }
    }

    @Test func `a callback is handed over with its token, its signature and its body`() async throws {
        var headers = HTTPFields()
        headers[try #require(HTTPField.Name("x-webhook-timestamp"))] = "17"
        headers[try #require(HTTPField.Name("X-WEBHOOK-SIGNATURE"))] = "c2ln"
        let answer = try await send(headers: headers, body: #"{"data":{}}"#, through: .live)
        #expect(answer.status == 200)
        #expect(answer.body == "ok\n")
        #expect(answer.headers[.connection] == "close")
        let callback = try #require(answer.callbacks.first)
        #expect(callback.token == Self.token)
        #expect(callback.timestamp == "17")
        #expect(callback.signature == "c2ln")
        #expect(String(buffer: callback.body) == #"{"data":{}}"#)
        #expect(answer.counter.count(of: .accepted) == 1)
    }

    @Test(arguments: [
        "/", "/callbacks/kie/", "/callbacks/kie", "/callbacks/other/\(token)", "/x\(path)", "\(path)/", "\(path)/x",
        "\(path)0", "/callbacks/kie/\(token.dropLast())", "/callbacks/kie/\(token.uppercased())",
        "/callbacks/kie/\(token.dropLast())g", "/healthz", "/metrics",
    ])
    func `nothing else is served`(path: String) async throws {
        for method in [HTTPRequest.Method.post, .get] {
            let answer = try await send(method, path)
            #expect(answer.status == 404)
            #expect(answer.body == "not found\n")
            #expect(answer.callbacks.isEmpty)
            #expect(answer.counter.count(of: .notFound) == 1)
        }
    }

    @Test(arguments: [HTTPRequest.Method.get, .put, .delete, .options, .patch])
    func `other methods are told what is allowed`(method: HTTPRequest.Method) async throws {
        let answer = try await send(method)
        #expect(answer.status == 405)
        #expect(answer.headers[.allow] == "POST")
        #expect(answer.callbacks.isEmpty)
    }

    @Test(arguments: [false, true])
    func `a body over the limit is refused, whatever its head says`(overTheNetwork: Bool) async throws {
        let setup: TestingSetup = overTheNetwork ? .live : .router
        let exact = try await send(body: String(repeating: "x", count: 64), limit: 64, through: setup)
        #expect(exact.status == 200)
        do {
            let answer = try await send(body: String(repeating: "x", count: 65), limit: 64, through: setup)
            #expect(answer.status == 413)
            #expect(answer.callbacks.isEmpty)
        } catch ChannelError.ioOnClosedChannel where overTheNetwork {
            // Refused by its head, and the connection closed, before the client had sent the body.
        }
    }

    @Test func `each outcome has its status, and an unknown token reads like an unknown path`() async throws {
        var statuses: [CallbackOutcome: Int] = [:]
        for outcome in CallbackOutcome.allCases {
            let answer = try await send(outcome: outcome)
            statuses[outcome] = answer.status
            if outcome == .unknownToken { #expect(answer.body == "not found\n") }
        }
        #expect(
            statuses == [
                .accepted: 200, .duplicate: 200, .contradicted: 200, .unknownToken: 404, .badSignature: 401,
                .stale: 401,
                .malformed: 400,
                .tooLarge: 413, .slow: 408, .wrongMethod: 405, .notFound: 404, .unavailable: 503,
            ]
        )
    }

    // MARK: - Counting and logging

    @Test func `the first refusal of a kind is said, then at most one line a minute`() {
        let log = RecordedLog()
        let now = Mutex(Duration.zero)
        let counter = CallbackCounter(logger: log.logger) {
            now.withLock { $0 }
        }
        for _ in 0..<1_000 { counter.note(.badSignature) }
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.hasPrefix("warning: callback refused ") == true)
        #expect(log.lines.first?.contains("reason=its signature is missing or wrong") == true)
        counter.note(.tooLarge)
        #expect(log.lines.count == 2, "another kind")
        now.withLock { $0 = .seconds(60) }
        for _ in 0..<1_000 { counter.note(.badSignature) }
        #expect(log.lines.count == 3)
        #expect(log.lines.last?.contains("count=1000") == true, "999 unsaid ones and this: \(log.lines)")
        for _ in 0..<10 { counter.note(.accepted) }
        #expect(log.lines.count == 3)
        #expect(counter.count(of: .badSignature) == 2_000)
    }

    @Test func `every outcome is counted from the start`() {
        let counter = CallbackCounter(logger: Self.quiet) { .zero }
        counter.note(.stale)
        let lines = counter.prometheusText.split(separator: "\n")
        #expect(lines.contains("# TYPE promptd_callbacks_total counter"))
        #expect(lines.contains("promptd_callbacks_total{outcome=\"stale\"} 1"))
        #expect(lines.contains("promptd_callbacks_total{outcome=\"unknown_token\"} 0"))
        #expect(lines.count == 2 + CallbackOutcome.allCases.count)
        #expect(counter.prometheusText.hasSuffix("\n"))
    }
}
