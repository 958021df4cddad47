/// Writes values as the server's input functions read them (PostgreSQL, chapter 8).
enum ValueText {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Appends nothing for NULL.
    ///
    /// - Parameter number: which parameter it is, for the error.
    /// - Throws: `PostgresError` with `unsendable` for a text with a NUL character in it.
    static func append(_ value: PostgresValue, number: Int, to bytes: inout [UInt8]) throws(PostgresError) {
        switch value {
        case .null: break
        case .int(let value): append(value, to: &bytes)
        case .double(let value): append(value, to: &bytes)
        case .bool(let value): bytes.append(UInt8(ascii: value ? "t" : "f"))
        case .text(let value):
            try check(value, number: number)
            bytes.append(contentsOf: value.utf8)
        case .bytes(let value): bytes.append(contentsOf: value)
        case .ints(let values): array(values, &bytes) { append($0, to: &$1) }
        case .doubles(let values): array(values, &bytes) { append($0, to: &$1) }
        case .bools(let values): array(values, &bytes) { $1.append(UInt8(ascii: $0 ? "t" : "f")) }
        case .texts(let values):
            for case let value? in values { try check(value, number: number) }
            array(values, &bytes) { quote($0.utf8, &$1) }
        case .byteStrings(let values):
            array(values, &bytes) { value, bytes in
                bytes.append(contentsOf: "\"\\\\x".utf8)
                hexadecimal(value, &bytes)
                bytes.append(UInt8(ascii: "\""))
            }
        }
    }

    /// The digits, without a text in between.
    static func append(_ value: Int64, to bytes: inout [UInt8]) {
        guard value != 0 else { return bytes.append(UInt8(ascii: "0")) }
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        let start = bytes.count
        while rest > 0 {
            bytes.append(digits[Int(rest % 10)])
            rest /= 10
        }
        bytes[start...].reverse()
    }

    /// The shortest text that is read back as the same number.
    static func append(_ value: Double, to bytes: inout [UInt8]) {
        if value.isNaN {
            bytes.append(contentsOf: "NaN".utf8)
        } else if value.isInfinite {
            bytes.append(contentsOf: (value < 0 ? "-Infinity" : "Infinity").utf8)
        } else {
            bytes.append(contentsOf: value.description.utf8)
        }
    }

    static func hexadecimal(_ value: [UInt8], _ bytes: inout [UInt8]) {
        for byte in value {
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        }
    }

    private static func check(_ text: String, number: Int) throws(PostgresError) {
        guard text.utf8.contains(0) else { return }
        throw PostgresError(
            .unsendable,
            "parameter $\(number) has a NUL character (U+0000) in it, which PostgreSQL's text cannot hold; remove it, or store bytes"
        )
    }

    private static func array<Element>(
        _ values: [Element?],
        _ bytes: inout [UInt8],
        _ element: (Element, inout [UInt8]) -> Void
    ) {
        bytes.append(UInt8(ascii: "{"))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            if let value { element(value, &bytes) } else { bytes.append(contentsOf: "NULL".utf8) }
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// In quotation marks an element is itself, whatever it holds; only these two have to be escaped.
    private static func quote(_ text: String.UTF8View, _ bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
