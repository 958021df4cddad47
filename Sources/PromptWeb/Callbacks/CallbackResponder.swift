import HTTPTypes
package import Hummingbird
package import NIOCore

/// A callback as it came in, not checked yet.
package struct IncomingCallback: Sendable {
    /// 32 lower-case hexadecimal digits, from the path.
    package var token: String
    /// `X-Webhook-Timestamp`
    package var timestamp: String?
    /// `X-Webhook-Signature`
    package var signature: String?
    package var body: ByteBuffer

    package init(token: String, timestamp: String?, signature: String?, body: ByteBuffer) {
        self.token = token
        self.timestamp = timestamp
        self.signature = signature
        self.body = body
    }
}

/// A request together with its connection, which is closed after it.
package struct CallbackContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    let channel: (any Channel)?

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// `POST /callbacks/kie/{token}`, and nothing else.
package struct CallbackResponder: HTTPResponder {
    package typealias Context = CallbackContext

    private static let path = "/callbacks/kie/"
    private static let timestamp = HTTPField.Name("X-Webhook-Timestamp")
    private static let signature = HTTPField.Name("X-Webhook-Signature")

    private let limits: CallbackLimits
    private let counter: CallbackCounter
    private let receive: @Sendable (IncomingCallback) async -> CallbackOutcome

    /// - Parameter receive: checks a callback and hands it on. The provider waits for it.
    package init(
        limits: CallbackLimits,
        counter: CallbackCounter,
        receive: @escaping @Sendable (IncomingCallback) async -> CallbackOutcome
    ) {
        self.limits = limits
        self.counter = counter
        self.receive = receive
    }

    @concurrent
    package func respond(to request: Request, context: CallbackContext) async throws -> Response {
        let outcome = await outcome(of: request)
        counter.note(outcome)
        var headers: HTTPFields = [.contentType: "text/plain; charset=utf-8", .connection: "close"]
        if outcome == .wrongMethod { headers[.allow] = "POST" }
        let text = ByteBuffer(string: outcome.text + "\n")
        let channel = context.channel
        return Response(
            status: outcome.status,
            headers: headers,
            body: ResponseBody(contentLength: text.readableBytes) { @concurrent writer in
                try await writer.write(text)
                try await writer.finish(nil)
                // Hummingbird closes only when the request asks for it. Our half alone: the answer still has to arrive.
                channel?.close(mode: .output, promise: nil)
            }
        )
    }

    private func outcome(of request: Request) async -> CallbackOutcome {
        let path = request.uri.path
        guard path.hasPrefix(Self.path) else { return .notFound }
        let token = String(path.dropFirst(Self.path.count))
        guard Self.isToken(token) else { return .notFound }
        guard request.method == .post else { return .wrongMethod }
        switch await body(of: request) {
        case .failure(let outcome):
            return outcome.outcome
        case .success(let body):
            return await receive(
                IncomingCallback(
                    token: token,
                    timestamp: Self.timestamp.flatMap { request.headers[$0] },
                    signature: Self.signature.flatMap { request.headers[$0] },
                    body: body
                )
            )
        }
    }

    static func isToken(_ text: String) -> Bool {
        text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private struct NoBody: Error {
        var outcome: CallbackOutcome
    }

    private func body(of request: Request) async -> Result<ByteBuffer, NoBody> {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limits.body {
            return .failure(NoBody(outcome: .tooLarge))
        }
        return await withTaskGroup(of: Result<ByteBuffer, NoBody>.self) { [limits] group in
            group.addTask {
                do {
                    return .success(try await request.body.collect(upTo: limits.body))
                } catch is NIOTooManyBytesError {
                    return .failure(NoBody(outcome: .tooLarge))
                } catch {
                    return .failure(NoBody(outcome: .malformed))
                }
            }
            group.addTask {
                // Cancelled when the body is there.
                try? await Task.sleep(for: limits.bodyTime)
                return .failure(NoBody(outcome: .slow))
            }
            let first = await group.next() ?? .failure(NoBody(outcome: .malformed))
            group.cancelAll()
            return first
        }
    }
}
