/// An amount of the provider's credits, exact to a thousandth: the ledger's unit of money.
///
/// Its arithmetic stops at the bounds of 64 bits, which no account reaches.
package struct Credits: Sendable, Hashable, Comparable, AdditiveArithmetic, Codable {
    /// Thousandths of a credit.
    package var millicredits: Int64

    package static let zero = Credits(millicredits: 0)

    package init(millicredits: Int64) {
        self.millicredits = millicredits
    }

    /// Rounds `credits`, as the provider writes them, to the nearest thousandth.
    ///
    /// Values that no account can hold (infinite, not a number, beyond 10^12) become `nil`.
    package init?(_ credits: Double) {
        guard credits.isFinite, credits.magnitude < 1e12 else { return nil }
        millicredits = Int64((credits * 1_000).rounded())
    }

    /// Reads `500` or `0.8`: not negative, to the thousandth, below 10^12.
    package init?(text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count),
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let whole = Int64(parts[0]), whole < 1_000_000_000_000
        else { return nil }
        let decimals = parts.count > 1 ? String(parts[1]) : ""
        guard decimals.utf8.count <= 3, let thousandths = Int64((decimals + "000").prefix(3)) else { return nil }
        self.init(millicredits: whole * 1_000 + thousandths)
    }

    package init(from decoder: any Decoder) throws {
        millicredits = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(millicredits)
    }

    package var doubleValue: Double { Double(millicredits) / 1_000 }

    package static func < (left: Credits, right: Credits) -> Bool { left.millicredits < right.millicredits }

    package static func + (left: Credits, right: Credits) -> Credits {
        Credits(millicredits: left.millicredits.addingSaturated(right.millicredits))
    }

    package static func - (left: Credits, right: Credits) -> Credits {
        Credits(millicredits: left.millicredits.subtractingSaturated(right.millicredits))
    }
}

extension Credits: CustomStringConvertible {
    /// Up to three decimals and no more than needed: `14`, `5916.25`, `0.8`.
    package var description: String {
        let sign = millicredits < 0 ? "-" : ""
        let whole = millicredits.magnitude / 1_000
        let rest = millicredits.magnitude % 1_000
        guard rest != 0 else { return "\(sign)\(whole)" }
        var decimals = String(rest)
        decimals = String(repeating: "0", count: 3 - decimals.count) + decimals
        while decimals.hasSuffix("0") { decimals.removeLast() }
        return "\(sign)\(whole).\(decimals)"
    }
}
