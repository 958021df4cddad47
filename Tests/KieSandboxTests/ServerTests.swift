import AsyncHTTPClient
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import KieSandbox
import Logging
import NIOCore
import PromptQueue
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ServerTests {
    private static let headers: HTTPFields = [
        .authorization: "Bearer sandbox-key", .contentType: "application/json", .userAgent: "promptd-tests/1",
    ]
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Lets `test` talk to a sandbox on a socket.
    private func withSandbox<Value: Sendable>(
        _ adjust: (inout SandboxConfiguration) -> Void = { _ in },
        test: @escaping @Sendable (any TestClientProtocol) async throws -> Value
    ) async throws -> Value {
        var configuration = SandboxConfiguration()
        configuration.duration = TaskDuration(typical: .zero, jitter: .zero)
        adjust(&configuration)
        let sandbox = Sandbox(configuration: configuration, catalogue: .builtIn)
        return try await sandbox.application(logger: Self.logger).test(.ahc(.http)) { @concurrent client in
            try await test(client)
        }
    }

    private static func post(
        _ path: String,
        _ body: String,
        to client: any TestClientProtocol
    ) async throws -> JSONValue {
        let response = try await client.executeRequest(
            uri: path,
            method: .post,
            headers: headers,
            body: ByteBuffer(string: body)
        )
        return try JSONValue(parsing: String(buffer: response.body))
    }

    private static func createTask(
        with client: any TestClientProtocol,
        callback: String? = nil
    ) async throws -> String {
        var body: JSONObject = ["model": .string(ProviderFixture.model)]
        body["input"] = .object(["prompt": "a red fox", "aspect_ratio": "1:1", "resolution": "1K"])
        body["callBackUrl"] = callback.map(JSONValue.string)
        let answer = try await post("/api/v1/jobs/createTask", JSONValue.object(body).json, to: client)
        return try #require(answer["data"]["taskId"].stringValue)
    }

    private static func get(_ path: String, from client: any TestClientProtocol) async throws -> TestResponse {
        try await client.executeRequest(uri: path, method: .get, headers: headers, body: nil)
    }

    @Test func `a task goes from its creation to its file`() async throws {
        try await withSandbox { client in
            let id = try await Self.createTask(with: client)
            let record = try await Self.get("/api/v1/jobs/recordInfo?taskId=\(id)", from: client)
            #expect(record.headers[.contentType] == "application/json")
            let data = try JSONValue(parsing: String(buffer: record.body))["data"]
            let result = try JSONValue(parsing: try #require(data["resultJson"].stringValue))
            let url = try #require(result["resultUrls"].arrayValue?.first?.stringValue)
            #expect(url == "http://127.0.0.1:\(client.port ?? 0)/media/\(id)/0.png")

            let file = try await Self.get("/media/\(id)/0.png", from: client)
            #expect(file.headers[.contentType] == "image/png")
            let image = try DecodedPNG(Array(file.body.readableBytesView))
            #expect(image.width == 1_024)
        }
    }

    @Test func `a lost answer is a connection closed without a byte`() async throws {
        try await withSandbox { client in
            _ = try await Self.post("/sandbox/faults", #"{"next":["lost"]}"#, to: client)
            let error = await #expect(throws: HTTPClientError.self) { try await Self.createTask(with: client) }
            #expect(error == .remoteConnectionClosed)
            let stats = try await Self.get("/sandbox/stats", from: client)
            let counts = try JSONValue(parsing: String(buffer: stats.body))
            #expect(counts["tasks"]["made"] == 1)
            #expect(counts["createTask"]["lostAnswers"] == 1)
        }
    }

    @Test(arguments: ["media-cut", "media-stall"])
    func `a file can end in the middle`(fault: String) async throws {
        try await withSandbox({ $0.slow = .milliseconds(1) }) { client in
            let id = try await Self.createTask(with: client)
            _ = try await Self.post("/sandbox/faults", #"{"next":["\#(fault)"]}"#, to: client)
            await #expect(throws: (any Error).self) { try await Self.get("/media/\(id)/0.png", from: client) }
            #expect(try await Self.get("/media/\(id)/0.png", from: client).status == .ok)
        }
    }

    @Test func `a gateway answers with a page`() async throws {
        try await withSandbox { client in
            _ = try await Self.post("/sandbox/faults", #"{"next":["poll-gateway"]}"#, to: client)
            let response = try await Self.get("/api/v1/jobs/recordInfo?taskId=x", from: client)
            #expect(response.status == .badGateway)
            #expect(response.headers[.contentType] == "text/html")
        }
    }

    @Test func `a callback is delivered with its signature, and tried again after an error`() async throws {
        let (calls, continuation) = AsyncStream<Call>.makeStream()
        let router = Router()
        let count = Mutex(0)
        router.post("callback") { @concurrent request, _ in
            let body = try await request.body.collect(upTo: 1_000_000)
            continuation.yield(Call(headers: request.headers, body: String(buffer: body)))
            let number = count.withLock { count in
                count += 1
                return count
            }
            return number < 3 ? HTTPResponse.Status.internalServerError : .ok
        }
        let adjust: @Sendable (inout SandboxConfiguration) -> Void = {
            $0.hmacKey = "secret"
            $0.callbackRetries = [.zero, .zero, .zero]
        }
        try await Application(router: router, logger: Self.logger).test(.ahc(.http)) { @concurrent receiver in
            let url = "http://127.0.0.1:\(receiver.port ?? 0)/callback"
            try await withSandbox(adjust) { client in
                let id = try await Self.createTask(with: client, callback: url)
                var received: [Call] = []
                for await call in calls.prefix(3) { received.append(call) }
                for call in received {
                    #expect(try JSONValue(parsing: call.body)["data"]["taskId"].stringValue == id)
                    let seconds = try #require(call["X-Webhook-Timestamp"].flatMap(Int64.init))
                    let signature = WebhookSignature(taskID: TaskID(id), seconds: seconds, key: "secret")
                    #expect(call["X-Webhook-Signature"] == signature.text)
                    #expect(call["Content-Type"] == "application/json")
                }
            }
        }
    }

    private struct Call: Sendable {
        let headers: HTTPFields
        let body: String

        subscript(name: String) -> String? {
            HTTPField.Name(name).flatMap { headers[$0] }
        }
    }
}
