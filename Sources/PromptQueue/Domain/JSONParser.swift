package import FoundationEssentials

/// Why a text is not JSON that is taken.
package struct JSONError: Error, Sendable, CustomStringConvertible {
    /// For people: `is nested deeper than 32`. Holds at most a key of the text.
    package let description: String
}

/// Reads JSON (RFC 8259) in one pass over its bytes: the time grows with the length, whatever its shape.
///
/// Foundation's decoder finds out what kind a value is by trying one after the other, which takes minutes for a text of
/// some kilobytes that is nested deeply.
struct JSONParser {
    /// No input of the catalogue and no answer of the provider is nested half as deep.
    static let maximumDepth = 32

    /// What is made of oddities.
    enum Mode {
        /// Refused: somebody wrote it, and can put it right.
        case strict
        /// Of a key that stands twice the last value counts.
        case answer
        /// Also, `JSONValue.unreadable` stands for what cannot be read of a text or a number.
        case damaged
    }

    private let bytes: [UInt8]
    private let mode: Mode
    private var position = 0
    private var depth = 0

    private init(_ bytes: [UInt8], _ mode: Mode) {
        self.bytes = bytes
        self.mode = mode
    }

    /// - Throws: `JSONError`.
    static func parse(_ bytes: [UInt8], _ mode: Mode = .strict) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes, mode)
        return try parser.document()
    }

    private mutating func document() throws(JSONError) -> JSONValue {
        skipSpace()
        let value = try value()
        skipSpace()
        guard position == bytes.count else { throw unexpected("the end of the text") }
        return value
    }

    // MARK: - Values

    private mutating func value() throws(JSONError) -> JSONValue {
        switch peek {
        case UInt8(ascii: "{")?: return .object(try object())
        case UInt8(ascii: "[")?: return .array(try array())
        case UInt8(ascii: "\"")?: return .string(try string())
        case UInt8(ascii: "t")?: return try word("true", .bool(true))
        case UInt8(ascii: "f")?: return try word("false", .bool(false))
        case UInt8(ascii: "n")?: return try word("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte): return try number()
        default: throw unexpected("a value")
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for byte in word.utf8 where !take(byte) { throw unexpected("a value") }
        return value
    }

    private mutating func object() throws(JSONError) -> JSONObject {
        try enter()
        var object: JSONObject = [:]
        skipSpace()
        if take(UInt8(ascii: "}")) {
            depth -= 1
            return object
        }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw unexpected("a colon") }
            skipSpace()
            let old = object.updateValue(try value(), forKey: key)
            if old != nil, mode == .strict {
                throw JSONError(description: "has the key \"\(BoundedText.word(key))\" twice")
            }
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            guard take(UInt8(ascii: "}")) else { throw unexpected("a comma or a closing brace") }
            depth -= 1
            return object
        }
    }

    private mutating func array() throws(JSONError) -> [JSONValue] {
        try enter()
        var values: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) {
            depth -= 1
            return values
        }
        while true {
            skipSpace()
            values.append(try value())
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            guard take(UInt8(ascii: "]")) else { throw unexpected("a comma or a closing bracket") }
            depth -= 1
            return values
        }
    }

    private mutating func enter() throws(JSONError) {
        position += 1
        depth += 1
        guard depth <= Self.maximumDepth else {
            throw JSONError(description: "is nested deeper than \(Self.maximumDepth)")
        }
    }

    // MARK: - Numbers

    private mutating func number() throws(JSONError) -> JSONValue {
        let begin = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            isWhole = false
            position += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        let text = String(decoding: bytes[begin..<position], as: UTF8.self)
        if isWhole, let whole = Int64(text) { return .integer(whole) }
        if isWhole, let whole = UInt64(text) { return .unsigned(whole) }
        // As a Double it would go out as another number than was written.
        if isWhole, mode == .strict {
            throw JSONError(description: "has a whole number that does not fit 64 bits")
        }
        guard let number = Double(text), number.isFinite else {
            if mode == .damaged { return .string(JSONValue.unreadable) }
            throw JSONError(description: "has a number that is too large")
        }
        // 5.0 is 5, as long as a Double tells whole numbers apart.
        if number.magnitude < 0x1p53, let whole = Int64(exactly: number) { return .integer(whole) }
        return .number(number)
    }

    private mutating func digits() throws(JSONError) {
        guard let first = peek, Self.isDigit(first) else { throw unexpected("a digit") }
        while let byte = peek, Self.isDigit(byte) { position += 1 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    // MARK: - Texts

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let begin = position
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if peek == UInt8(ascii: "\"") {
            defer { position += 1 }
            return try valid(bytes[begin..<position])
        }
        var text = Array(bytes[begin..<position])
        while true {
            guard let byte = peek, byte >= 0x20 else { throw unexpected("the closing quote of a text") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try valid(text[...])
            case UInt8(ascii: "\\"): try escape(into: &text)
            default: text.append(byte)
            }
        }
    }

    private func valid(_ bytes: ArraySlice<UInt8>) throws(JSONError) -> String {
        // Nearly all are ASCII, and that is valid.
        guard bytes.contains(where: { $0 >= 0x80 }) else { return String(decoding: bytes, as: UTF8.self) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            if mode == .damaged { return String(decoding: bytes, as: UTF8.self) }
            throw JSONError(description: "has a text that is not valid UTF-8")
        }
        return text
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = peek else { throw unexpected("an escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: Array(String(try unicode()).utf8))
        default: throw unexpected("an escape")
        }
    }

    private mutating func unicode() throws(JSONError) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // Half of a pair needs its other half.
        let before = position
        if (0xD800..<0xDC00).contains(first), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
            let second = try hexadecimal()
            if (0xDC00..<0xE000).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            {
                return scalar
            }
        }
        guard mode == .damaged else { throw JSONError(description: "has a text with half a surrogate pair") }
        position = before
        return "\u{FFFD}"
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var number: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Self.hexadecimalDigit(byte) else {
                throw unexpected("four hexadecimal digits")
            }
            position += 1
            number = number << 4 | digit
        }
        return number
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(truncatingIfNeeded: byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(truncatingIfNeeded: byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(truncatingIfNeeded: byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    // MARK: - Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func unexpected(_ expected: String) -> JSONError {
        JSONError(description: "is not JSON: \(expected) was expected at byte \(position + 1)")
    }
}

extension JSONValue {
    /// Parses one JSON document that somebody wrote.
    ///
    /// Strict: a key that stands twice, or nesting deeper than 32, is refused.
    /// - Throws: `JSONError`.
    package init(parsing data: Data) throws(JSONError) {
        self = try JSONParser.parse(Array(data))
    }

    /// - Throws: `JSONError`.
    package init(parsing text: String) throws(JSONError) {
        self = try JSONParser.parse(Array(text.utf8))
    }

    /// Parses an answer of another program: of a key that stands twice the last one counts.
    ///
    /// - Throws: `JSONError`.
    package init(answer bytes: [UInt8]) throws(JSONError) {
        self = try JSONParser.parse(bytes, .answer)
    }

    /// Parses an answer of which parts cannot be read: U+FFFD stands for those.
    ///
    /// - Throws: `JSONError`.
    package init(damaged bytes: [UInt8]) throws(JSONError) {
        self = try JSONParser.parse(bytes, .damaged)
    }

    fileprivate static let unreadable = "\u{FFFD}"

    /// Whether U+FFFD stands anywhere in it.
    package var isDamaged: Bool {
        switch self {
        case .string(let text): text.unicodeScalars.contains("\u{FFFD}")
        case .array(let values): values.contains(where: \.isDamaged)
        case .object(let fields): fields.contains { $0.key.unicodeScalars.contains("\u{FFFD}") || $0.value.isDamaged }
        default: false
        }
    }
}
