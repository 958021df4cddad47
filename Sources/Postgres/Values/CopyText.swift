/// Values in COPY's text format (PostgreSQL, COPY, "Text format").
enum CopyText {
    /// - Throws: `PostgresError` with `unsendable` for a text with a NUL character in it.
    static func append(_ value: PostgresValue, number: Int, to bytes: inout [UInt8]) throws(PostgresError) {
        switch value {
        case .null: bytes.append(contentsOf: "\\N".utf8)
        case .int(let value): ValueText.append(value, to: &bytes)
        case .double(let value): ValueText.append(value, to: &bytes)
        case .bytes(let value):
            bytes.append(contentsOf: "\\\\x".utf8)
            ValueText.hexadecimal(value, &bytes)
        default:
            var text: [UInt8] = []
            try ValueText.append(value, number: number, to: &text)
            escape(text, &bytes)
        }
    }

    private static func escape(_ text: [UInt8], _ bytes: inout [UInt8]) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
            default: bytes.append(byte)
            }
        }
    }
}
