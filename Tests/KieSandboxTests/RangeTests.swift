import HTTPTypes
import Hummingbird
import HummingbirdTesting
import KieSandbox
import Logging
import NIOCore
import PromptQueue
import Testing

/// Parts of result files, over a socket.
@Suite(.timeLimit(.minutes(5)))
struct RangeTests {
    private static let headers: HTTPFields = [.authorization: "Bearer sandbox-key", .userAgent: "promptd-tests/1"]

    @Test func `a part is sent of the same version only, and a file knows its version`() async throws {
        var configuration = SandboxConfiguration()
        configuration.duration = TaskDuration(typical: .zero, jitter: .zero)
        let sandbox = Sandbox(configuration: configuration, catalogue: .builtIn)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try await sandbox.application(logger: logger).test(.ahc(.http)) { @concurrent client in
            let order =
                ##"{"model":"flux-2/flex-text-to-image","input":{"prompt":"a fox","aspect_ratio":"1:1","resolution":"1K"}}"##
            let made = try await client.executeRequest(
                uri: "/api/v1/jobs/createTask",
                method: .post,
                headers: Self.headers,
                body: ByteBuffer(string: order)
            )
            let id = try #require(try JSONValue(parsing: String(buffer: made.body))["data"]["taskId"].stringValue)
            func get(_ range: String?, _ ifRange: String? = nil) async throws -> TestResponse {
                var headers = Self.headers
                headers[.range] = range
                headers[.ifRange] = ifRange
                return try await client.executeRequest(
                    uri: "/media/\(id)/0.png",
                    method: .get,
                    headers: headers,
                    body: nil
                )
            }
            let whole = try await get(nil)
            let bytes = Array(whole.body.readableBytesView)
            let tag = try #require(whole.headers[.eTag])
            #expect(whole.status == .ok)

            let part = try await get("bytes=100-199", tag)
            #expect(part.status == .partialContent)
            #expect(part.headers[.contentRange] == "bytes 100-199/\(bytes.count)")
            #expect(Array(part.body.readableBytesView) == Array(bytes[100..<200]))
            #expect(Array(try await get("bytes=100-").body.readableBytesView) == Array(bytes[100...]))
            #expect(Array(try await get("bytes=5-\(Int.max)").body.readableBytesView) == Array(bytes[5...]))

            #expect(try await get("bytes=100-", "\"another\"").status == .ok)
            for odd in ["bytes=-5", "bytes=9-5", "bytes=1-2,4-5", "items=1-2", "x"] {
                #expect(try await get(odd).status == .ok, "\(odd)")
            }
            let behind = try await get("bytes=\(bytes.count)-")
            #expect(behind.status == .rangeNotSatisfiable)
            #expect(behind.headers[.contentRange] == "bytes */\(bytes.count)")

            _ = try await client.executeRequest(
                uri: "/sandbox/faults",
                method: .post,
                headers: Self.headers,
                body: ByteBuffer(string: #"{"next":["media-no-ranges"]}"#)
            )
            let unable = try await get("bytes=100-", tag)
            #expect(unable.status == .ok)
            #expect(unable.headers[.eTag] == nil)
        }
    }
}
