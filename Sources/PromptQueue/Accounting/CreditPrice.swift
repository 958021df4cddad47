/// What a credit costs its owner, to show sums of credits as money. Nothing is decided by it.
package struct CreditPrice: Sendable, Hashable {
    /// Of a credit, in millionths of the currency.
    private let millionths: Int64
    package let currency: String

    package static let allowed = "an amount and a currency, like 0.005 USD"

    /// Reads `0.005 USD`.
    package init?(text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2, (1...8).contains(words[1].count),
            words[1].unicodeScalars.allSatisfy({
                $0.properties.isAlphabetic || $0.properties.generalCategory == .currencySymbol
            })
        else { return nil }
        let parts = words[0].split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count),
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let whole = Int64(parts[0]), whole <= 1_000
        else { return nil }
        let decimals = parts.count > 1 ? parts[1] : ""
        guard decimals.utf8.count <= 6, let rest = Int64((decimals + "000000").prefix(6)), whole + rest > 0 else {
            return nil
        }
        millionths = whole * 1_000_000 + rest
        currency = String(words[1])
    }

    /// `3.60 USD`; of less than a hundredth `0.0040 USD`. Rounded to the nearest.
    package func amount(of credits: Credits) -> String {
        let amount = Int128(credits.millicredits.magnitude) * Int128(millionths) / 1_000
        let isSmall = amount > 0 && amount < 10_000
        let step: Int128 = isSmall ? 100 : 10_000
        let units = (amount + step / 2) / step
        let (base, digits): (Int128, Int) = isSmall ? (10_000, 4) : (100, 2)
        let rest = String(Int64(clamping: units % base))
        let sign = credits < .zero && units > 0 ? "-" : ""
        return "\(sign)\(grouped(Int(clamping: units / base)))."
            + String(repeating: "0", count: max(0, digits - rest.utf8.count)) + "\(rest) \(currency)"
    }
}

extension CreditPrice: CustomStringConvertible {
    /// As it is read.
    package var description: String {
        var decimals = String(millionths % 1_000_000)
        decimals = String(repeating: "0", count: max(0, 6 - decimals.utf8.count)) + decimals
        while decimals.hasSuffix("0") { decimals.removeLast() }
        return "\(millionths / 1_000_000)\(decimals.isEmpty ? "" : ".\(decimals)") \(currency)"
    }
}
