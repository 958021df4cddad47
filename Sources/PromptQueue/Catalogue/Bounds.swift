/// A least and a greatest value, both included, both optional.
package struct Bounds: Sendable, Hashable {
    package let minimum: Double?
    package let maximum: Double?

    package init(_ minimum: Double? = nil, _ maximum: Double? = nil) {
        self.minimum = minimum
        self.maximum = maximum
    }

    package enum Violation: Sendable, Hashable {
        case below, above
    }

    package func violation(by value: Double) -> Violation? {
        if let minimum, value < minimum { return .below }
        if let maximum, value > maximum { return .above }
        return nil
    }
}

extension Bounds: CustomStringConvertible {
    /// `3 to 5,000`, `at least 3`, `at most 5,000`, `1`.
    package var description: String {
        switch (minimum, maximum) {
        case (let minimum?, let maximum?) where minimum == maximum: minimum.grouped
        case (let minimum?, let maximum?): "\(minimum.grouped) to \(maximum.grouped)"
        case (let minimum?, nil): "at least \(minimum.grouped)"
        case (nil, let maximum?): "at most \(maximum.grouped)"
        case (nil, nil): "any"
        }
    }
}

extension Double {
    /// Without a needless fraction, and whole thousands set apart by commas.
    var grouped: String {
        guard let whole = Int64(exactly: self) else { return String(self) }
        var digits = String(whole.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (whole < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }
}
