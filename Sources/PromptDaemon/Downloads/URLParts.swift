import FoundationEssentials

/// The parts of an absolute URL that decide whether it may be fetched.
package struct URLParts: Sendable, Equatable {
    package var scheme: String
    package var host: String

    package init?(_ text: String) {
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), var host = url.host(), !host.isEmpty,
            url.user() == nil, !host.contains("%")
        else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        self.scheme = scheme
        self.host = host.lowercased()
    }
}
