/// What a column can be read as.
package protocol PostgresDecodable {
    /// - Throws: `PostgresError` with `mismatch`.
    static func decode(_ cell: PostgresCell) throws(PostgresError) -> Self
}

/// Types of the server's, by their numbers in `pg_type`, which never change.
private enum TypeNumber {
    static let bool: UInt32 = 16, bytea: UInt32 = 17
    static let numeric: UInt32 = 1700

    /// `int8`, `int2`, `int4`, `oid`, `xid`, `xid8`.
    static func isInteger(_ type: UInt32) -> Bool {
        switch type {
        case 20, 21, 23, 26, 28, 5069: true
        default: false
        }
    }

    static func isFloat(_ type: UInt32) -> Bool { type == 700 || type == 701 }
}

extension Int64: PostgresDecodable {
    /// Integers of all widths, and sums of them, which are numeric.
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Int64 {
        try cell.present()
        guard TypeNumber.isInteger(cell.type) || cell.type == TypeNumber.numeric else {
            throw cell.mismatch("integer")
        }
        let value = unsafe cell.withBytes { unsafe number($0) }
        guard let value else { throw cell.mismatch("integer of 64 bits") }
        return value
    }

    /// - Returns: nil for what is no integer, or too large.
    private static func number(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        let isNegative = unsafe bytes.first == UInt8(ascii: "-")
        guard bytes.count > (isNegative ? 1 : 0) else { return nil }
        var value: Int64 = 0
        for place in (isNegative ? 1 : 0)..<bytes.count {
            let byte = unsafe bytes[place]
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let digit = Int64(byte - UInt8(ascii: "0"))
            let (ten, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, more) =
                isNegative ? ten.subtractingReportingOverflow(digit) : ten.addingReportingOverflow(digit)
            guard !over, !more else { return nil }
            value = sum
        }
        return value
    }
}

extension Int: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Int {
        guard let value = try Int(exactly: Int64.decode(cell)) else { throw cell.mismatch("integer of this machine's") }
        return value
    }
}

extension Double: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Double {
        try cell.present()
        guard
            TypeNumber.isFloat(cell.type) || TypeNumber.isInteger(cell.type)
                || cell.type == TypeNumber.numeric
        else { throw cell.mismatch("number") }
        let text = unsafe cell.withBytes { unsafe String(decoding: $0, as: UTF8.self) }
        guard let value = Double(text) else { throw cell.mismatch("number") }
        return value
    }
}

extension Bool: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Bool {
        try cell.present()
        guard cell.type == TypeNumber.bool else { throw cell.mismatch("boolean") }
        return unsafe cell.withBytes { unsafe $0.first == UInt8(ascii: "t") }
    }
}

extension String: PostgresDecodable {
    /// Any type in the server's text, but bytes.
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> String {
        try cell.present()
        guard cell.type != TypeNumber.bytea else { throw cell.mismatch("text") }
        // A database in SQL_ASCII passes on whatever somebody stored.
        guard let text = unsafe cell.withBytes({ unsafe String(validating: $0, as: UTF8.self) }) else {
            throw cell.mismatch("UTF-8")
        }
        return text
    }
}

extension [UInt8]: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> [UInt8] {
        try cell.present()
        guard cell.type == TypeNumber.bytea else { throw cell.mismatch("bytes") }
        let bytes = unsafe cell.withBytes { bytes -> [UInt8]? in
            // `\x` and two digits for each; the session sets `bytea_output`.
            guard bytes.count >= 2, bytes.count % 2 == 0, unsafe bytes[0] == UInt8(ascii: "\\"),
                unsafe bytes[1] == UInt8(ascii: "x")
            else { return nil }
            var value: [UInt8] = []
            value.reserveCapacity(bytes.count / 2 - 1)
            for place in stride(from: 2, to: bytes.count, by: 2) {
                guard let high = unsafe digit(bytes[place]), let low = unsafe digit(bytes[place + 1]) else {
                    return nil
                }
                value.append(high << 4 | low)
            }
            return value
        }
        guard let bytes else { throw cell.mismatch("bytes in hexadecimal digits") }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Wrapped? {
        if cell.isNull { return nil }
        return try Wrapped.decode(cell)
    }
}
