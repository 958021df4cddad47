import FoundationEssentials

/// The parts of an absolute URL that decide whether it may be fetched.
package struct URLParts: Sendable, Equatable {
    package var scheme: String
    package var host: String

    package init?(_ text: String) {
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), var host = url.host(), !host.isEmpty,
            url.user() == nil
        else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        // Nothing that one reader of the URL may understand differently from another: no escapes, no scopes.
        guard host.utf8.allSatisfy({ Self.isPlain($0) }) else { return nil }
        self.scheme = scheme
        self.host = host.lowercased()
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
