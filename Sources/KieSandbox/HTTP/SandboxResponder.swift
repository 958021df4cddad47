import FoundationEssentials
import HTTPTypes
package import Hummingbird
package import Logging
import NIOCore
import PromptQueue
import ServiceLifecycle

/// HTTP in front of the sandbox: requests in, answers out, delivered as well or as badly as they are meant to be.
package struct SandboxResponder: HTTPResponder {
    /// The largest request body that is read.
    private static let bodyLimit = 4 * 1_024 * 1_024
    /// The same for uploads: the largest file, in the largest form.
    private static let uploadLimit = SandboxUpload.largest * 4 / 3 + 65_536

    private let sandbox: Sandbox
    private let logger: Logger

    /// - Parameter logger: is told every request, at level debug.
    package init(sandbox: Sandbox, logger: Logger) {
        self.sandbox = sandbox
        self.logger = logger
    }

    @concurrent
    package func respond(to request: Request, context: SandboxContext) async throws -> Response {
        let isUpload = SandboxUpload.Form(path: request.uri.path) != nil
        let body = try await request.body.collect(upTo: isUpload ? Self.uploadLimit : Self.bodyLimit)
        let answer = sandbox.answer(
            to: SandboxRequest(
                method: request.method.rawValue,
                path: request.uri.path,
                query: Dictionary(
                    request.uri.queryParameters.map { (String($0.key), String($0.value)) },
                    uniquingKeysWith: { first, _ in first }
                ),
                authorization: request.headers[.authorization],
                userAgent: request.headers[.userAgent],
                range: request.headers[.range],
                ifRange: request.headers[.ifRange],
                contentType: request.headers[.contentType],
                body: Data(body.readableBytesView)
            )
        )
        logger.debug(
            "answered",
            metadata: [
                "method": "\(request.method)", "path": "\(request.uri.path)", "answer": "\(answer.label)",
            ]
        )
        let delay = answer.isSlow ? sandbox.configuration.slow : sandbox.configuration.latency
        if delay > .zero { try await sleepUnlessShutDown(delay) }
        return try await deliver(answer, on: context.channel)
    }

    private func deliver(_ answer: SandboxAnswer, on channel: any Channel) async throws -> Response {
        if answer.delivery == .lost {
            try await channel.close()
            throw ConnectionCut()
        }
        let whole = answer.content
        let part = answer.range.map { RequestedRange(text: $0, of: whole.readableBytes) } ?? .whole
        var response = Response(
            status: HTTPResponse.Status(code: answer.status),
            headers: [.contentType: answer.contentType]
        )
        response.headers[.eTag] = answer.entityTag
        if answer.entityTag != nil { response.headers[.acceptRanges] = "bytes" }
        var content = whole
        switch part {
        case .whole: break
        case .bytes(let range):
            content = whole.getSlice(at: range.lowerBound, length: range.count) ?? ByteBuffer()
            response.status = .partialContent
            response.headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(whole.readableBytes)"
        case .unsatisfiable:
            response.status = .rangeNotSatisfiable
            response.headers[.contentRange] = "bytes */\(whole.readableBytes)"
            return response
        }
        response.body = ResponseBody(byteBuffer: content)
        guard answer.delivery != .whole else { return response }
        let stall = answer.delivery == .stalled ? sandbox.configuration.slow : .zero
        response.body = ResponseBody(contentLength: content.readableBytes) { @concurrent [content] writer in
            try await writer.write(content.getSlice(at: 0, length: content.readableBytes / 2) ?? ByteBuffer())
            if stall > .zero { try await sleepUnlessShutDown(stall) }
            try await channel.close()
            throw ConnectionCut()
        }
        return response
    }
}

/// The sandbox cut the connection on purpose.
private struct ConnectionCut: Error {}

/// Waits for `duration`, but never holds the end of the program up.
func sleepUnlessShutDown(_ duration: Duration) async throws {
    try await cancelWhenGracefulShutdown { try await Task.sleep(for: duration) }
}

extension SandboxAnswer {
    fileprivate var content: ByteBuffer {
        switch body {
        case .json(let text), .html(let text), .plain(let text): ByteBuffer(string: text)
        case .media(let media, let ordinal): ByteBuffer(bytes: media.file(ordinal))
        case .upload(let upload): ByteBuffer(bytes: upload.content)
        }
    }

    fileprivate var contentType: String {
        switch body {
        case .json: "application/json"
        case .html: "text/html"
        case .plain: "text/plain; charset=UTF-8"
        case .media(let media, _): media.contentType
        case .upload(let upload): upload.contentType
        }
    }
}
