import Hummingbird
import HummingbirdTesting
import KieSandbox
import Logging
import PromptQueue
import Testing

@testable import KieAPI

/// The client against the sandbox, over a real socket: each exchange ends in exactly one of its outcomes.
@Suite(.timeLimit(.minutes(5))) struct ClientTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Lets `body` use a client of a sandbox of its own.
    private func withClient<T: Sendable>(
        _ fault: Fault? = nil,
        key: String = "sandbox-key",
        adjust: (inout KieSettings) -> Void = { _ in },
        _ body: @escaping @Sendable (KieClient) async throws -> T
    ) async throws -> T {
        var configuration = SandboxConfiguration()
        configuration.duration = TaskDuration(typical: .zero, jitter: .zero)
        configuration.slow = .seconds(60)
        if let fault { configuration.faults[fault] = 1 }
        let sandbox = Sandbox(configuration: configuration, catalogue: .builtIn)
        var settings = KieSettings(baseURL: "")
        // What is to be waited for in vain is waited for shortly; all else may take as long as a busy machine needs.
        settings.answerTimeout = fault == .slow ? .seconds(2) : .seconds(30)
        adjust(&settings)
        return try await sandbox.application(logger: Self.logger).test(.live) { @concurrent [settings] test in
            var settings = settings
            settings.baseURL = "http://127.0.0.1:\(try #require(test.port))"
            let client = KieClient(settings, key: Secret(key))
            let result: Result<T, any Error>
            do { result = .success(try await body(client)) } catch { result = .failure(error) }
            try await client.shutdown()
            return try result.get()
        }
    }

    private static let input: JSONObject = ["prompt": "a red fox", "aspect_ratio": "1:1", "resolution": "1K"]

    private func submit(_ client: KieClient) async -> SubmissionOutcome {
        await client.createTask(model: "flux-2/flex-text-to-image", input: Self.input, callbackURL: nil)
    }

    @Test func `a task is made, found and ended`() async throws {
        let input = Self.input
        try await withClient { client in
            let outcome = await client.createTask(model: "flux-2/flex-text-to-image", input: input, callbackURL: nil)
            guard case .accepted(let task, 200) = outcome else {
                Issue.record("not accepted: \(outcome)")
                return
            }
            guard case .succeeded(let outputs, let charged, _, _) = await client.recordInfo(task).outcome else {
                Issue.record("not succeeded")
                return
            }
            #expect(outputs.count == 1)
            #expect(charged == Credits(millicredits: 14_000))
            let balance = try await client.credits().get()
            #expect(balance == Credits(millicredits: 986_000))
            guard case .file(let url)? = outputs.first?.content else { return }
            let fresh = try await client.downloadURL(for: url).get()
            #expect(fresh.hasPrefix("http"))
            #expect(await client.recordInfo(TaskID("no such & task")).outcome == .notFound)
        }
    }

    static let lost: [String] = [
        "lost", "cut-body", "broken-body", "gateway", "gateway-empty", "gateway-made", "slow", "408", "501",
    ]

    @Test(arguments: lost)
    func `an answer that does not tell leaves the outcome unknown`(name: String) async throws {
        let fault = try #require(Fault(rawValue: name))
        let outcome = try await withClient(fault) { client in
            await client.createTask(model: "flux-2/flex-text-to-image", input: Self.input, callbackURL: nil)
        }
        guard case .unknown(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.code == .answerLost)
        #expect(!failure.message.contains("sandbox-key"))
        #expect(!failure.message.contains("red fox"))
    }

    static let refused: [(String, FailureCode)] = [
        ("401", .keyRefused), ("http-401", .keyRefused), ("cdn-403", .keyRefused), ("402", .creditsExhausted),
        ("402-as-500", .creditsExhausted), ("404", .modelUnavailable), ("422", .invalidInput),
        ("429", .rateLimited), ("http-429", .rateLimited), ("433", .keyCapReached), ("451", .inputUnusable),
        ("455", .providerMaintenance), ("500", .providerUnavailable), ("505", .modelDisabled),
    ]

    @Test(arguments: refused)
    func `an answer that tells is a rejection`(name: String, code: FailureCode) async throws {
        let fault = try #require(Fault(rawValue: name))
        let outcome = try await withClient(fault) { client in
            await client.createTask(model: "flux-2/flex-text-to-image", input: Self.input, callbackURL: nil)
        }
        guard case .rejected(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.code == code)
    }

    @Test func `a wrong key is refused`() async throws {
        let outcome = try await withClient(key: "wrong") { client in
            await client.createTask(model: "flux-2/flex-text-to-image", input: Self.input, callbackURL: nil)
        }
        guard case .rejected(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.code == .keyRefused)
        #expect(!failure.message.contains("wrong"))
    }

    @Test func `a refused connection was not sent`() async throws {
        var settings = KieSettings(baseURL: "http://127.0.0.1:1")
        settings.answerTimeout = .seconds(2)
        let client = KieClient(settings, key: Secret("k"))
        guard case .notSent(let failure) = await submit(client) else {
            Issue.record("not told apart")
            return
        }
        #expect(failure.code == .notSent)
        try await client.shutdown()
    }

    @Test func `a question that hangs is given up before a request for a task would be`() async throws {
        let fault = try #require(Fault(rawValue: "poll-slow"))
        let input = Self.input
        let outcome = try await withClient(fault, adjust: { $0.questionTimeout = .milliseconds(500) }) { client in
            let made = await client.createTask(model: "flux-2/flex-text-to-image", input: input, callbackURL: nil)
            guard case .accepted(let task, _) = made else { return PollOutcome.notFound }
            return await client.recordInfo(task).outcome
        }
        guard case .unavailable(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.message == "no whole answer within 500ms")
        let settings = KieSettings(baseURL: "http://127.0.0.1:1")
        #expect(settings.questionTimeout == .seconds(10))
        #expect(settings.answerTimeout == .seconds(30))
    }

    @Test(arguments: ["poll-429", "poll-404", "poll-455", "poll-500", "poll-gateway", "poll-lost", "poll-broken"])
    func `a question that fails ends no task`(name: String) async throws {
        let fault = try #require(Fault(rawValue: name))
        let outcome = try await withClient(fault) { client in
            let made = await client.createTask(model: "flux-2/flex-text-to-image", input: Self.input, callbackURL: nil)
            guard case .accepted(let task, _) = made else { return PollOutcome.succeeded([], charged: nil) }
            return await client.recordInfo(task).outcome
        }
        switch outcome {
        case .unavailable, .notFound: break
        default: Issue.record("\(outcome)")
        }
    }

    @Test func `the models, their fields and prices are read, and make the same catalogue`() async throws {
        let now = Catalogue.builtInDate
        let read = try await withClient { client in
            try await ProviderCatalogue.read(from: client, now: now, pause: {})
        }
        #expect(read.unread.isEmpty)
        #expect(read.models.count == Catalogue.builtIn.models.values.count(where: \.isDocumented))
        let (kept, isShort) = read.merged(into: [], builtIn: .builtIn)
        #expect(!isShort)
        // The sandbox serves what is built in: nothing of it gets lost on the way.
        let difference = CatalogueDifference(from: .builtIn, to: Catalogue.builtIn.with(kept))
        #expect(difference.models == [])
    }

    @Test func `a key that is refused, and a model that is not there, are said`() async throws {
        let refused = try await withClient(key: "wrong") { await $0.models(now: Catalogue.builtInDate) }
        #expect(throws: FailureError.self) { try refused.get() }
        if case .failure(let error) = refused { #expect(error.failure.code == .keyRefused) }
        let missing = try await withClient { await $0.inputSchema(of: "no/such-model") }
        if case .failure(let error) = missing {
            #expect(error.failure.code == .providerUnavailable)
        } else {
            Issue.record("found")
        }
    }
}
