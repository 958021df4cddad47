import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import PromptQueue

/// Fetches result files: plain GETs without the API key, and without following redirects, which the caller checks.
///
/// It connects to the addresses that it is given and to no others.
package final class MediaClient: Sendable {
    private let clients: PinnedClients
    private let userAgent: String

    /// - Parameter stallTimeout: how long a server may send nothing.
    package init(userAgent: String, stallTimeout: Duration = .seconds(30)) {
        self.userAgent = userAgent
        clients = PinnedClients(Self.configuration(stallTimeout: stallTimeout), idleLimit: 8)
    }

    static func configuration(stallTimeout: Duration) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(10)
        configuration.timeout.read = .milliseconds(stallTimeout.milliseconds)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.idleTimeout = .seconds(15)
        // The engine bounds how many there are, and results mostly come from one host: the client's own 8 for a host would let
        // a few slow ones hold up all others.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        configuration.httpVersion = .http1Only
        configuration.http1_1ConnectionDebugInitializer = StatusGuard.add(to:)
        return configuration
    }

    package func shutdown() async {
        await clients.shutdown()
    }

    /// Asks for a file, or for the rest of one.
    ///
    /// - Parameters:
    ///   - addresses: of the URL's host, checked, as text; where one does not take the connection the next is tried.
    ///   - rest: what is there already; the server is asked for the bytes behind it if the file is still the same.
    ///   - use: reads the answer; its body ends with it.
    /// - Throws: whatever kept the answer's head from coming, and what `use` throws.
    package func get<T>(
        _ url: String,
        at addresses: [String],
        rest: MediaRange? = nil,
        _ use: (MediaAnswer) async throws -> T
    ) async throws -> T {
        // Checked here too: the HTTP client trusts a URL's port to be one.
        guard WebURL(url) != nil, let host = URL(string: url)?.host(percentEncoded: false) else {
            throw HTTPClientError.invalidURL
        }
        var request = HTTPClientRequest(url: url)
        // The media server refuses bare library names.
        request.headers.add(name: "User-Agent", value: userAgent)
        if let rest {
            request.headers.add(name: "Range", value: "bytes=\(rest.offset)-")
            request.headers.add(name: "If-Range", value: rest.validator)
        }
        var failure: any Error = HTTPClientError.emptyHost
        for address in addresses {
            let pin = Pin(host: host, address: address)
            let used: T? = try await clients.with(pin) { client in
                let response: HTTPClientResponse
                do {
                    response = try await client.execute(request, timeout: .seconds(60))
                } catch {
                    guard TransportError.isNotSent(error) || error is IOError else { throw error }
                    failure = error
                    return nil
                }
                return try await use(MediaAnswer(response, to: url))
            }
            if let used { return used }
        }
        throw failure
    }

    /// For people; short.
    package static func describe(_ error: any Error) -> String { TransportError.describe(error) }
}

extension MediaAnswer {
    fileprivate init(_ response: HTTPClientResponse, to url: String) {
        let status = Int(response.status.code)
        let headers = response.headers
        switch status {
        case 200:
            self = .file(MediaBody(response, range: nil))
        case 206:
            guard let range = headers.first(name: "Content-Range").flatMap(ContentRange.init(text:)) else {
                self = .refused(status: status)
                return
            }
            self = .file(MediaBody(response, range: range))
        case 300..<400:
            guard let target = headers.first(name: "Location") else {
                self = .refused(status: status)
                return
            }
            // A target may be relative to where it was found (RFC 9110, section 10.2.2).
            let absolute = URL(string: url).flatMap { URL(string: target, relativeTo: $0)?.absoluteString }
            self = .redirect(absolute ?? target)
        default:
            self = .refused(status: status)
        }
    }
}

extension MediaBody {
    fileprivate init(_ response: HTTPClientResponse, range: ContentRange?) {
        self.init(
            length: response.headers.first(name: "Content-Length").flatMap { Int64($0) }
                .flatMap { (0...ContentRange.maximum).contains($0) ? $0 : nil },
            range: range,
            validator: MediaRange.validator(
                entityTag: response.headers.first(name: "ETag"),
                lastModified: response.headers.first(name: "Last-Modified"),
                date: response.headers.first(name: "Date")
            ),
            chunks: response.body.map { Array($0.readableBytesView) }
        )
    }
}
