import HTTPTypes
import Hummingbird

/// Where a browser says a request comes from.
enum RequestOrigin {
    /// Whether it comes from a page of this listener. A browser that knows Fetch Metadata (https://www.w3.org/TR/fetch-metadata/)
    /// says so itself, and behind a proxy it alone knows; the others name the page's origin. What says neither is no form of a
    /// browser.
    static func isOwn(_ request: Request) -> Bool {
        if let site = HTTPField.Name("Sec-Fetch-Site").flatMap({ request.headers[$0] }) { return site == "same-origin" }
        guard let origin = request.headers[.origin]?.lowercased(), let host = request.head.authority?.lowercased(),
            !host.isEmpty
        else { return false }
        return origin == "http://\(host)" || origin == "https://\(host)"
    }
}
