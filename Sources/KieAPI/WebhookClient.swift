import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import PromptQueue

/// Posts signed events to others: without the API key, without following redirects, to the addresses that were checked and to no
/// others.
package final class WebhookClient: Sendable {
    private let clients: PinnedClients
    private let userAgent: String

    package init(userAgent: String) {
        self.userAgent = userAgent
        clients = PinnedClients(MediaClient.configuration(stallTimeout: .seconds(30)), idleLimit: 8)
    }

    package func shutdown() async {
        await clients.shutdown()
    }

    /// - Parameters:
    ///   - addresses: of the URL's host, checked, as text; where one does not take the connection the next is tried.
    ///   - limit: how long until the answer's head; its body is not read.
    /// - Returns: the answer's status.
    package func post(
        _ body: [UInt8],
        to url: String,
        at addresses: [String],
        headers: [(name: String, value: String)],
        within limit: Duration
    ) async throws -> Int {
        guard WebURL(url) != nil, let host = URL(string: url)?.host(percentEncoded: false) else {
            throw HTTPClientError.invalidURL
        }
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "User-Agent", value: userAgent)
        request.headers.add(name: "Content-Type", value: "application/json")
        // What is left of an answer that nobody reads closes the connection anyway.
        request.headers.add(name: "Connection", value: "close")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        var failure: any Error = HTTPClientError.emptyHost
        for address in addresses {
            let status: Int? = try await clients.with(Pin(host: host, address: address)) { [request] client in
                do {
                    let response = try await client.execute(request, timeout: .milliseconds(limit.milliseconds))
                    return Int(response.status.code)
                } catch {
                    guard TransportError.isNotSent(error) || error is IOError else { throw error }
                    failure = error
                    return nil
                }
            }
            if let status { return status }
        }
        throw failure
    }

    /// For people; short.
    package static func describe(_ error: any Error) -> String { TransportError.describe(error) }
}
