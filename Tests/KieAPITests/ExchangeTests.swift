import AsyncHTTPClient
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOHTTP1
import PromptQueue
import Testing

@testable import KieAPI

/// One exchange has a single limit of time, from the request to the last byte of the answer, and one of size.
@Suite(.timeLimit(.minutes(5))) struct ExchangeTests {
    private static let head = #"{"code":200,"msg":"success","data":{"taskId":"t"}}"#

    /// What a server does with a request.
    private enum Manner: Sendable, CaseIterable {
        /// A complete answer.
        case plain
        /// A whole JSON document, and then spaces for ever: the answer does not end.
        case dripping
        /// A head, and nothing after it.
        case silent
        /// Five million bytes more than the document.
        case large
    }

    /// Lets `body` use the URL of a server.
    private func withServer<T: Sendable>(
        _ manner: Manner,
        asked: AsyncStream<Void>.Continuation? = nil,
        _ body: @escaping @Sendable (String) async throws -> T
    ) async throws -> T {
        let (released, release) = AsyncStream<Void>.makeStream()
        let router = Router()
        router.post("/api/v1/jobs/createTask") { _, _ in
            asked?.yield()
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    if manner != .silent { try await writer.write(ByteBuffer(string: Self.head)) }
                    switch manner {
                    case .plain: break
                    case .silent: for await _ in released {}
                    case .dripping:
                        // Until the client has gone.
                        while true {
                            try await writer.write(ByteBuffer(string: " "))
                            await Task.yield()
                        }
                    case .large:
                        for _ in 0..<50 { try await writer.write(ByteBuffer(repeating: 32, count: 100_000)) }
                    }
                    try await writer.finish(nil)
                }
            )
        }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            logger: logger
        )
        return try await application.test(.live) { @concurrent test in
            defer { release.finish() }
            return try await body("http://127.0.0.1:\(try #require(test.port))")
        }
    }

    private func withClient<T: Sendable>(
        _ manner: Manner,
        timeout: Duration = .seconds(30),
        asked: AsyncStream<Void>.Continuation? = nil,
        _ body: @escaping @Sendable (KieClient) async throws -> T
    ) async throws -> T {
        try await withServer(manner, asked: asked) { url in
            var settings = KieSettings(baseURL: url)
            settings.answerTimeout = timeout
            let client = KieClient(settings, key: Secret("key"))
            let result: Result<T, any Error>
            do { result = .success(try await body(client)) } catch { result = .failure(error) }
            try await client.shutdown()
            return try result.get()
        }
    }

    private static func create(_ client: KieClient) async -> SubmissionOutcome {
        await client.createTask(model: "m", input: ["prompt": "a red fox"], callbackURL: nil)
    }

    @Test func `an answer that comes in time is read`() async throws {
        let outcome = try await withClient(.plain) { await Self.create($0) }
        #expect(outcome == .accepted(TaskID("t"), httpStatus: 200))
    }

    @Test(arguments: [Manner.dripping, .silent])
    private func `an answer that does not end is lost when its time is over`(manner: Manner) async throws {
        let outcome = try await withClient(manner, timeout: .milliseconds(500)) { await Self.create($0) }
        guard case .unknown(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.message == "no whole answer within 500ms: the task may exist and may have been charged")
    }

    @Test func `an answer that is too large is lost`() async throws {
        let outcome = try await withClient(.large) { await Self.create($0) }
        guard case .unknown(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.code == .answerLost)
    }

    @Test func `a request that is cut off ends at once, and may have made a task`() async throws {
        let (asked, continuation) = AsyncStream<Void>.makeStream()
        let outcome = try await withClient(.silent, asked: continuation) { client in
            let request = Task { await Self.create(client) }
            for await _ in asked { break }
            request.cancel()
            return await request.value
        }
        guard case .unknown = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func `a request without an answer is known to have left, one without a connection not`() async throws {
        let (asked, continuation) = AsyncStream<Void>.makeStream()
        try await withServer(.silent, asked: continuation) { url in
            let (silent, refused) = try await (
                Self.hasSentHead(url, until: asked), Self.hasSentHead("http://127.0.0.1:1")
            )
            #expect(silent)
            #expect(!refused)
        }
    }

    /// Whether the head of a request that fails was sent; with `asked` it is cut off when the server has it.
    private static func hasSentHead(_ url: String, until asked: AsyncStream<Void>? = nil) async throws -> Bool {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        return try await HTTPClient.withHTTPClient(configuration: configuration) { client in
            let request = try HTTPClient.Request(
                url: "\(url)/api/v1/jobs/createTask",
                method: .POST,
                body: .string("{}")
            )
            let delegate = ExchangeDelegate(request, maximumBodyBytes: 1_000)
            let task = client.execute(request: request, delegate: delegate, deadline: .now() + .seconds(30))
            if let asked {
                for await _ in asked { break }
                task.cancel()
            }
            await #expect(throws: (any Error).self) { try await task.futureResult.get() }
            return delegate.hasSentHead
        }
    }
}
