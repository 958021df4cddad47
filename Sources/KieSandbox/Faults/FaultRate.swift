/// A fault and how often it happens, as the command line writes it: `lost=0.05` or `lost=5%`.
package struct FaultRate: Sendable, Hashable {
    package let fault: Fault
    /// From 0 to 1.
    package let rate: Double

    /// A text that names no fault or no rate, and what is wrong with it.
    package struct Malformed: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Throws: `Malformed`, which says what is wrong.
    package init(text: String) throws(Malformed) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let fault = Fault(rawValue: parts[0]) else { throw Malformed(description: Self.unknown(parts[0])) }
        guard parts.count == 2, let rate = Self.rate(parts[1]) else {
            throw Malformed(description: "write \(fault.rawValue)=RATE, the rate from 0 to 1 or a percentage")
        }
        self.fault = fault
        self.rate = rate
    }

    /// Reads `0.05` or `5%`.
    static func rate(_ text: String) -> Double? {
        let isPercentage = text.hasSuffix("%")
        guard let number = Double(isPercentage ? text.dropLast() : text[...]) else { return nil }
        let rate = isPercentage ? number / 100 : number
        return (0...1).contains(rate) ? rate : nil
    }

    static func unknown(_ name: String) -> String {
        "there is no fault \"\(name)\"; there are: \(Fault.allCases.map(\.rawValue).joined(separator: ", "))"
    }
}
