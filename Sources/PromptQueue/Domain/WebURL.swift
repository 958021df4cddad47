import FoundationEssentials

/// An absolute http or https URL, read once where it comes in, and in a way that no other reader can understand
/// differently: no user, no escapes and no scopes in the host, a port that there is.
package struct WebURL: Sendable, Equatable {
    package enum Scheme: String, Sendable {
        case http, https
    }

    /// As it was written.
    package let text: String
    package let scheme: Scheme
    /// In lower case; an IPv6 address without brackets.
    package let host: String
    /// 1 to 65535; nil if the scheme's own is meant.
    package let port: Int?

    /// Bytes. Longer ones are refused by servers anyway, and fill logs and the ledger (RFC 9110, section 4.1).
    package static let maximumBytes = 8_192

    package init?(_ text: String) {
        guard text.utf8.count <= Self.maximumBytes, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
            let authority = Self.authority(of: text), let port = Self.port(in: authority),
            let url = URL(string: text), let scheme = url.scheme.flatMap({ Scheme(rawValue: $0.lowercased()) }),
            var host = url.host(), !host.isEmpty, url.user() == nil, url.password() == nil, url.port == port.number
        else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard host.utf8.allSatisfy(Self.isPlain) else { return nil }
        self.text = text
        self.scheme = scheme
        self.host = host.lowercased()
        self.port = port.number
    }

    /// `host:port`, between the scheme and the path.
    private static func authority(of text: String) -> Substring? {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
        let rest = text[text.index(colon, offsetBy: 3)...]
        return rest.prefix { !"/?#\\".contains($0) }
    }

    /// Foundation takes any number for a port; whoever connects to it narrows it to 16 bits, and traps.
    private static func port(in authority: Substring) -> (number: Int?, Void)? {
        let afterAddress = authority.lastIndex(of: "]").map { authority[$0...] } ?? authority
        guard let colon = afterAddress.lastIndex(of: ":") else { return (nil, ()) }
        let digits = afterAddress[afterAddress.index(after: colon)...]
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(digits), (1...65_535).contains(number)
        else { return nil }
        return (number, ())
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
