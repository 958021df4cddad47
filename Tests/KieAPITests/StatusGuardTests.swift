import NIOCore
import NIOPosix
import PromptQueue
import Testing

@testable import KieAPI

/// Answers whose first line no server may send. The HTTP client ends the process over some of them.
@Suite(.timeLimit(.minutes(5))) struct StatusGuardTests {
    /// Answers whatever comes with the same bytes.
    private final class Parrot: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let answer: String
        private var hasAnswered = false

        init(_ answer: String) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !hasAnswered else { return }
            hasAnswered = true
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        }
    }

    private func withServer<T>(_ answer: String, _ body: (String) async throws -> T) async throws -> T {
        let server = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Parrot(answer)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let result: Result<T, any Error>
        do {
            result = .success(try await body("http://127.0.0.1:\(server.localAddress?.port ?? 0)"))
        } catch {
            result = .failure(error)
        }
        try await server.close()
        return try result.get()
    }

    private static let accepted = "{\"code\":200,\"msg\":\"success\",\"data\":{\"taskId\":\"t\"}}"

    private static func answer(_ line: String, body: String = accepted) -> String {
        "HTTP/1.1 \(line)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func create(_ answer: String) async throws -> SubmissionOutcome {
        try await withServer(answer) { url in
            let client = KieClient(KieSettings(baseURL: url), key: Secret("key"))
            let outcome = await client.createTask(model: "m", input: ["prompt": "x"], callbackURL: nil)
            try await client.shutdown()
            return outcome
        }
    }

    @Test(arguments: ["000 X", "001 X", "009 X", "010 X", "099 X", "101 X", "600 X", "999 X", "1000 X", "-1 X", "X"])
    func `a status that does not exist leaves the outcome unknown`(line: String) async throws {
        let outcome = try await create(Self.answer(line))
        guard case .unknown = outcome else {
            Issue.record("\(line): \(outcome)")
            return
        }
    }

    @Test(arguments: ["100 Continue", "102 X", "103 Early Hints", "199 X"])
    func `an interim answer is waited out`(line: String) async throws {
        let outcome = try await create("HTTP/1.1 \(line)\r\n\r\n" + Self.answer("200 OK"))
        #expect(outcome == .accepted(TaskID("t"), httpStatus: 200))
    }

    @Test func `what a 429 and a redirect say is heard`() async throws {
        let refused = try await create(
            "HTTP/1.1 429 X\r\nRetry-After: 40\r\nContent-Length: 29\r\n\r\n{\"code\":429,\"msg\":\"too many\"}"
        )
        guard case .rejected(let failure) = refused else {
            Issue.record("\(refused)")
            return
        }
        #expect(failure.retryAfter == .seconds(40))
        let moved = try await create(
            "HTTP/1.1 301 X\r\nLocation: https://api.example/\u{202E}x\r\nContent-Length: 0\r\n\r\n"
        )
        guard case .rejected(let failure) = moved else {
            Issue.record("\(moved)")
            return
        }
        #expect(failure.code == .providerUnavailable)
        #expect(failure.message.contains("redirects to https://api.example/ x"))
    }

    @Test(arguments: [
        "-1", "0", "1e9", "9223372036854775807", "99999999999999999999", "Fri, 27 Nov 2026 00:00:00 GMT", "",
    ])
    func `a wait that cannot be meant is none`(text: String) {
        #expect(AnswerHeaders(retryAfter: text, location: nil).retryAfter == nil)
    }

    @Test(arguments: [
        ("Fri, 27 Nov 2026 00:00:40 GMT", "Fri, 27 Nov 2026 00:00:00 GMT", 40),
        ("Wed, 01 Mar 2028 00:00:00 GMT", "Tue, 29 Feb 2028 23:59:30 GMT", 30),
    ])
    func `a date until which to wait is measured by the server's own`(until: String, date: String, seconds: Int) {
        #expect(AnswerHeaders(retryAfter: until, location: nil, date: date).retryAfter == .seconds(seconds))
    }

    @Test(arguments: [
        ("Fri, 27 Nov 2026 00:00:00 GMT", "Fri, 27 Nov 2026 00:00:00 GMT"),
        ("Fri, 27 Nov 2020 00:00:00 GMT", "Fri, 27 Nov 2026 00:00:00 GMT"),
        ("Fri, 27 Nov 2099 00:00:00 GMT", "Fri, 27 Nov 2026 00:00:00 GMT"),
        ("Fri, 99 Nov 2026 00:00:00 GMT", "Fri, 27 Nov 2026 00:00:00 GMT"),
        ("Fri, 27 Foo 2026 00:00:00 GMT", "Fri, 27 Nov 2026 00:00:00 GMT"),
        ("Fri, 27 Nov 2026 00:00:40 GMT", "yesterday"),
        ("Fri, 27 Nov 2026 00:00:40 CET", "Fri, 27 Nov 2026 00:00:00 GMT"),
    ])
    func `a date that cannot be meant is no wait`(until: String, date: String) {
        #expect(AnswerHeaders(retryAfter: until, location: nil, date: date).retryAfter == nil)
    }

    @Test func `two answers to one request are one`() async throws {
        let outcome = try await create(Self.answer("200 OK") + Self.answer("099 X"))
        #expect(outcome == .accepted(TaskID("t"), httpStatus: 200))
    }

    @Test(arguments: ["001 X", "099 X", "101 X", "600 X"])
    func `a media server's impossible status is an error`(line: String) async throws {
        try await withServer(Self.answer(line)) { url in
            let client = MediaClient(userAgent: "promptd-tests/1", stallTimeout: .seconds(5))
            await #expect(throws: InvalidStatus.self) {
                try await client.get(url + "/x", at: ["127.0.0.1"]) { _ in }
            }
            await client.shutdown()
        }
    }

    @Test(arguments: ["99999", "65536", "0"])
    func `a port that does not exist is no URL`(port: String) async {
        let client = MediaClient(userAgent: "promptd-tests/1", stallTimeout: .seconds(5))
        await #expect(throws: (any Error).self) {
            try await client.get("http://127.0.0.1:\(port)/x", at: ["127.0.0.1"]) { _ in }
        }
        await client.shutdown()
    }
}
