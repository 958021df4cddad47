extension JSONValue {
    /// The value of a number, or of a text that is a plain decimal number: the service takes either form.
    package var numericValue: Double? {
        if let number = doubleValue { return number }
        guard let text = stringValue, text.utf8.count <= 32, let first = text.utf8.first,
            first == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first),
            text.utf8.allSatisfy({ "0123456789.-+eE".utf8.contains($0) }),
            let number = Double(text), number.isFinite
        else { return nil }
        return number
    }

    /// Whether the service takes `other` for this value: it is equal, or the same number in the other form.
    func means(_ other: JSONValue) -> Bool {
        if self == other { return true }
        guard doubleValue != nil || other.doubleValue != nil else { return false }
        guard let number = numericValue else { return false }
        return number == other.numericValue
    }

    /// A text without quotes, everything else as JSON.
    var plainText: String { stringValue ?? json }

    /// Short scalars as JSON; what is longer or may be somebody's text by its kind only.
    var quoted: String {
        switch self {
        case .array, .object: return typeName
        case .string(let text) where text.unicodeScalars.count > 60:
            return "a text of \(Double(text.unicodeScalars.count).grouped) characters"
        default: return json
        }
    }

    /// `a text`, `a list`: for messages that must not show the value.
    var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .integer, .unsigned, .number: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
