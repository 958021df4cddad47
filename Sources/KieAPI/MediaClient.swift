import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import PromptQueue

/// Fetches result files: plain GETs without the API key, and without following redirects, which the caller checks.
package final class MediaClient: Sendable {
    private let client: HTTPClient
    private let userAgent: String

    /// - Parameter stallTimeout: how long a server may send nothing.
    package init(userAgent: String, stallTimeout: Duration = .seconds(30)) {
        self.userAgent = userAgent
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(10)
        configuration.timeout.read = .milliseconds(stallTimeout.milliseconds)
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    package func shutdown() async throws {
        try await client.shutdown()
    }

    /// - Throws: whatever kept the answer's head from coming.
    package func get(_ url: String) async throws -> MediaAnswer {
        var request = HTTPClientRequest(url: url)
        // The media server refuses bare library names.
        request.headers.add(name: "User-Agent", value: userAgent)
        let response = try await client.execute(request, timeout: .seconds(60))
        let status = Int(response.status.code)
        if (300..<400).contains(status), let target = response.headers.first(name: "Location") {
            // A target may be relative to where it was found (RFC 9110, section 10.2.2).
            let absolute = URL(string: url).flatMap { URL(string: target, relativeTo: $0)?.absoluteString }
            return .redirect(absolute ?? target)
        }
        guard status == 200 else { return .refused(status: status) }
        let length = response.headers.first(name: "Content-Length").flatMap { Int64($0) }
        return .file(MediaBody(length: length, chunks: response.body.map { Array($0.readableBytesView) }))
    }

    /// For people; short.
    package static func describe(_ error: any Error) -> String { TransportError.describe(error) }
}

/// How a media server answered.
package enum MediaAnswer: Sendable {
    case file(MediaBody)
    case redirect(String)
    case refused(status: Int)
}

package struct MediaBody: Sendable {
    /// As the server announced it.
    package let length: Int64?
    package let chunks: any AsyncSequence<[UInt8], any Error> & Sendable
}
