/// One line of `MovedRows`, taken apart and put together.
package enum MovedLine {
    /// The values of each line; nil is NULL.
    package static func values(in bytes: [UInt8], _ body: ([[UInt8]?]) throws -> Void) rethrows {
        var values: [[UInt8]?] = []
        var value: [UInt8] = []
        var isEscaped = false
        var isNull = false
        for byte in bytes {
            if isEscaped {
                isEscaped = false
                if byte == UInt8(ascii: "N") { isNull = true } else { value.append(unescaped(byte)) }
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") {
                values.append(isNull ? nil : value)
                value.removeAll(keepingCapacity: true)
                isNull = false
                guard byte == UInt8(ascii: "\n") else { continue }
                try body(values)
                values.removeAll(keepingCapacity: true)
            } else {
                value.append(byte)
            }
        }
    }

    package static func append(_ values: [[UInt8]?], to bytes: inout [UInt8]) {
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "\t")) }
            guard let value else {
                bytes.append(contentsOf: "\\N".utf8)
                continue
            }
            for byte in value {
                if let letter = letter(for: byte) {
                    bytes.append(UInt8(ascii: "\\"))
                    bytes.append(letter)
                } else {
                    bytes.append(byte)
                }
            }
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Replaces what is no text in lines that hold some of it; nil if all of it is.
    package static func repaired(_ bytes: [UInt8], of table: MovedTable) -> MovedRows? {
        guard bytes.contains(0) || String(validating: bytes, as: UTF8.self) == nil else { return nil }
        var rows = MovedRows(bytes: [], count: 0)
        values(in: bytes) { values in
            var values = values
            let key = zip(values, table.key).map { value, _ in String(decoding: value ?? [], as: UTF8.self) }
            for (index, column) in table.columns.enumerated() where index < values.count {
                guard let value = values[index], value.contains(0) || String(validating: value, as: UTF8.self) == nil
                else { continue }
                rows.repairs.append(
                    TextRepair(
                        table: table.name,
                        row: key.joined(separator: " ").replacing("\0", with: "\u{FFFD}"),
                        column: column.name,
                        original: value
                    )
                )
                values[index] = Array(String(decoding: value, as: UTF8.self).replacing("\0", with: "\u{FFFD}").utf8)
            }
            append(values, to: &rows.bytes)
            rows.count += 1
        }
        return rows
    }

    private static func letter(for byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\\"): UInt8(ascii: "\\")
        case 8: UInt8(ascii: "b")
        case 9: UInt8(ascii: "t")
        case 10: UInt8(ascii: "n")
        case 11: UInt8(ascii: "v")
        case 12: UInt8(ascii: "f")
        case 13: UInt8(ascii: "r")
        default: nil
        }
    }

    private static func unescaped(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "t"): 9
        case UInt8(ascii: "n"): 10
        case UInt8(ascii: "v"): 11
        case UInt8(ascii: "f"): 12
        case UInt8(ascii: "r"): 13
        default: letter
        }
    }
}
