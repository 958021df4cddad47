import AsyncHTTPClient
import FoundationEssentials
package import Logging
import NIOCore
import NIOHTTP1
import PromptQueue
import ServiceLifecycle

/// Sends callbacks when their tasks end.
package struct CallbackSender: Service {
    /// How long a receiver may take to answer.
    private static let timeout = TimeAmount.seconds(15)

    private let sandbox: Sandbox
    private let logger: Logger

    /// - Parameter logger: is told of callbacks that are given up.
    package init(sandbox: Sandbox, logger: Logger) {
        self.sandbox = sandbox
        self.logger = logger
    }

    package func run() async throws {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        try await HTTPClient.withHTTPClient(configuration: configuration) { client in
            await withDiscardingTaskGroup { group in
                for await callback in sandbox.callbacks.cancelOnGracefulShutdown() {
                    group.addTask { await send(callback, with: client) }
                }
                group.cancelAll()
            }
        }
    }

    private func send(_ callback: ScheduledCallback, with client: HTTPClient) async {
        do {
            try await Task.sleep(for: sandbox.time(until: callback.at))
            guard let request = sandbox.callback(for: callback.id) else { return }
            for _ in 0..<request.copies { try await deliver(request, with: client) }
        } catch {
            logger.debug("callback not sent", metadata: ["task.id": "\(callback.id)", "reason": "\(error)"])
        }
    }

    private func deliver(_ callback: CallbackRequest, with client: HTTPClient) async throws {
        let retries = sandbox.configuration.callbackRetries
        for (attempt, delay) in ([.zero] + retries).enumerated() {
            if delay > .zero { try await Task.sleep(for: delay) }
            guard await isReceived(callback, by: client) else { continue }
            sandbox.noteCallback(attempts: attempt + 1, isDelivered: true)
            return
        }
        sandbox.noteCallback(attempts: retries.count + 1, isDelivered: false)
        logger.warning("callback given up", metadata: ["task.id": "\(callback.id)"])
    }

    private func isReceived(_ callback: CallbackRequest, by client: HTTPClient) async -> Bool {
        // Whoever made the task chose the URL, and the HTTP client trusts its port to be one.
        guard WebURL(callback.url) != nil else {
            logger.debug("callback failed: no http or https URL", metadata: ["task.id": "\(callback.id)"])
            return false
        }
        var request = HTTPClientRequest(url: callback.url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "kie-sandbox")
        for (name, value) in callback.headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(ByteBuffer(string: callback.body))
        do {
            return try await client.execute(request, timeout: Self.timeout).status.code == 200
        } catch {
            logger.debug("callback failed", metadata: ["task.id": "\(callback.id)", "reason": "\(error)"])
            return false
        }
    }
}
