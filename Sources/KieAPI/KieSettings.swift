import PromptQueue

/// How to reach the provider.
package struct KieSettings: Sendable {
    /// Without a slash at its end: `https://api.kie.ai`.
    package var baseURL: String
    package var connectTimeout: Duration = .seconds(10)
    /// From the request to the end of its answer.
    package var answerTimeout: Duration = .seconds(30)
    /// For questions about tasks: they are free and asked again soon, so one that hangs is given up earlier.
    package var questionTimeout: Duration = .seconds(10)
    package var maximumBodyBytes = 4 << 20
    /// A bare library name is refused by the provider's CDN.
    package var userAgent = "promptd/\(Version.current) (prompt queue daemon)"

    package init(baseURL: String) {
        self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
    }

    /// What a base URL has to be.
    package static let allowedBaseURL =
        "a URL like https://api.kie.ai without ? and #; http, by which the key travels in the open, only to this machine "
        + "or with provider.allowHTTP: true (PROMPTD_PROVIDER_ALLOW_HTTP=true)"

    /// Whether the API key may be sent to a URL, and paths be put behind it.
    package static func isAllowed(baseURL text: String, allowsHTTP: Bool) -> Bool {
        guard let url = WebURL(text), !text.contains(where: { $0 == "?" || $0 == "#" || $0.isWhitespace }) else {
            return false
        }
        return url.scheme == .https || allowsHTTP || AddressRange.isLoopback(host: url.host)
    }
}
