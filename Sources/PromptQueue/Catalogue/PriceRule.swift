/// What some models charge for inputs of some kind.
package struct PriceRule: Sendable, Hashable {
    /// A price on top of the rule's own.
    package struct Surcharge: Sendable, Hashable {
        package let credits: Credits
        /// What `credits` are charged for, in the feed's word.
        package let unit: String
        /// Charged once for each picture, or other thing, in these fields; `nil`: it cannot be told how often.
        package let each: [String]?
        /// So many of them are free.
        package let after: Int
        /// The field with the seconds that `credits` are charged for; `nil` if they are not charged by time.
        package let seconds: String?
        package let row: String
    }

    /// What the unit of the price is counted by.
    package enum Measure: Sendable, Hashable {
        /// Once a task.
        case once
        /// The field that says how many; 1 if it is left out.
        case count(field: String)
        /// The field that says how many seconds.
        case seconds(field: String)
        /// The field whose text is charged by each thousand characters begun.
        case thousandCharacters(field: String)
        /// By what the input does not tell: the length of an uploaded file, the pixels of the result.
        case untold
    }

    package let models: [String]
    /// Fields and the values, any of which they must have; texts regardless of case.
    package let when: [String: [JSONValue]]
    /// Fields of which at least one must be given and not empty. Empty: no condition.
    package let given: [String]
    package let credits: Credits
    /// What `credits` are charged for: `image`, `second`, `1000 characters`.
    package let unit: String
    package let measure: Measure
    package let surcharges: [Surcharge]
    /// The row of the provider's price feed that this is.
    package let row: String
}

extension PriceRule: CustomStringConvertible {
    /// `14 credits per image (black forest labs flux 2 flex / text to image 1k)`.
    package var description: String {
        let extras = surcharges.map { " + \($0.credits) per \($0.unit) (\($0.row))" }.joined()
        return "\(credits) credits per \(unit) (\(row))\(extras)"
    }
}

extension PriceRule.Measure {
    /// The field that the price is counted by; nil if there is none.
    var field: String? {
        switch self {
        case .count(let field), .seconds(let field), .thousandCharacters(let field): field
        case .once, .untold: nil
        }
    }
}
