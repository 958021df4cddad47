import FoundationEssentials

/// Any JSON value. Whole numbers that fit 64 bits stay whole.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A whole number beyond `Int64`, like some models' seeds.
    case unsigned(UInt64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

package typealias JSONObject = [String: JSONValue]

extension JSONValue {
    /// The object in a JSON text; nil when it is something else, or not JSON.
    package static func object(in text: String) -> JSONObject? {
        // By far the most frequent.
        text == "{}" ? [:] : (try? JSONValue(parsing: text))?.objectValue
    }

    /// Compact JSON with sorted keys, so that equal values have equal texts; nothing in it does anything to a terminal.
    package var json: String {
        if let text = JSONWriter.text(of: self) { return PlainText.escapedJSON(text) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { return "null" }
        return PlainText.escapedJSON(String(decoding: data, as: UTF8.self))
    }

    /// Whether a text or a name in it holds U+0000, which to some functions of SQLite is the end of a text.
    package var hasNull: Bool {
        switch self {
        case .null, .bool, .integer, .unsigned, .number: false
        case .string(let text): text.utf8.contains(0)
        case .array(let items): items.contains(where: \.hasNull)
        case .object(let object): object.contains { $0.key.utf8.contains(0) || $0.value.hasNull }
        }
    }

    package var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    package var objectValue: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    package var arrayValue: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    package var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The value of a JSON number; not of a numeric string.
    package var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The value of a JSON number without a fraction.
    package var integerValue: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int64(exactly: value)
        default: nil
        }
    }
}

/// Decoding is for the catalogue's own files; what comes from others is read by `JSONParser`.
extension JSONValue: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // Every kind that does not match throws an error, which costs more than the value: the frequent ones first.
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode(JSONObject.self) {
            self = .object(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .unsigned(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else {
            self = .array(try container.decode([JSONValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .unsigned(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}
