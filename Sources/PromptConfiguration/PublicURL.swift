import KieAPI
import PromptQueue

/// Where the provider reaches promptd, as it is written in the configuration.
package enum PublicURL {
    package static let allowed =
        "a URL like https://example.org/promptd: https (http only on this machine), without ?, # and /callbacks/kie"

    /// - Returns: the URL without slashes at its end; nil if it is not `allowed`.
    package static func read(_ text: String) -> String? {
        var text = text
        while text.hasSuffix("/") { text.removeLast() }
        guard let url = WebURL(text),
            !text.contains(where: { $0 == "?" || $0 == "#" || $0.isWhitespace }), !text.hasSuffix("/callbacks/kie")
        else { return nil }
        // The path holds the token, so it must not travel in the open.
        return url.scheme == .https || AddressRange.isLoopback(host: url.host) ? text : nil
    }
}
