/// A parameter. It travels as text, and the server reads it as the type that the SQL gives its place: `$1::bigint[]`. Bytes alone
/// travel as they are.
package enum PostgresValue: Sendable, Hashable {
    case null
    case int(Int64)
    case double(Double)
    case bool(Bool)
    /// JSON as well.
    case text(String)
    case bytes([UInt8])
    case ints([Int64?])
    case doubles([Double?])
    case bools([Bool?])
    case texts([String?])
    case byteStrings([[UInt8]?])
}

extension PostgresValue {
    /// NULL for nil.
    package static func int(_ value: Int64?) -> PostgresValue { value.map { .int($0) } ?? .null }
    /// NULL for nil.
    package static func double(_ value: Double?) -> PostgresValue { value.map { .double($0) } ?? .null }
    /// NULL for nil.
    package static func bool(_ value: Bool?) -> PostgresValue { value.map { .bool($0) } ?? .null }
    /// NULL for nil.
    package static func text(_ value: String?) -> PostgresValue { value.map { .text($0) } ?? .null }
    /// NULL for nil.
    package static func bytes(_ value: [UInt8]?) -> PostgresValue { value.map { .bytes($0) } ?? .null }
}

extension PostgresValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByStringLiteral, ExpressibleByNilLiteral
{
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(stringLiteral value: String) { self = .text(value) }
    package init(nilLiteral: ()) { self = .null }
}
