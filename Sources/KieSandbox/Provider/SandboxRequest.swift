package import FoundationEssentials

/// A request as the sandbox sees it: HTTP without the transport.
package struct SandboxRequest: Sendable {
    package var method: String
    /// Without the query.
    package var path: String
    package var query: [String: String]
    /// The `Authorization` header.
    package var authorization: String?
    /// The `User-Agent` header.
    package var userAgent: String?
    /// The header `Range`.
    package var range: String?
    /// The header `If-Range`.
    package var ifRange: String?
    /// The header `Content-Type`.
    package var contentType: String?
    package var body: Data

    package init(
        method: String,
        path: String,
        query: [String: String] = [:],
        authorization: String? = nil,
        userAgent: String? = nil,
        range: String? = nil,
        ifRange: String? = nil,
        contentType: String? = nil,
        body: Data = Data()
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.authorization = authorization
        self.userAgent = userAgent
        self.range = range
        self.ifRange = ifRange
        self.contentType = contentType
        self.body = body
    }

    /// Whether the service's CDN turns the client away: no `User-Agent`, or a library's own.
    package var hasBareUserAgent: Bool {
        guard let product = userAgent?.split(whereSeparator: { $0 == " " || $0 == "/" }).first else { return true }
        return Self.bareProducts.contains(product.lowercased())
    }

    private static let bareProducts: Set<String> = [
        "aiohttp", "axios", "async-http-client", "go-http-client", "httpx", "java", "libwww-perl", "node", "node-fetch",
        "okhttp", "python", "python-httpx", "python-requests", "python-urllib", "reqwest", "ruby", "swift", "undici",
        "urllib3",
    ]
}
