/// Takes one line of JSON apart at its top level.
struct JSONScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    var peek: UInt8? { isAtEnd ? nil : bytes[position] }

    mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A { position += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    func error(_ expected: String) -> MalformedInput {
        MalformedInput(message: "is not JSON: \(expected) was expected at column \(position + 1)")
    }

    /// Reads a text, from its opening quote to its closing one.
    mutating func string() throws(MalformedInput) -> String {
        guard take(UInt8(ascii: "\"")) else { throw error("a text in quotes") }
        let begin = position
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if peek == UInt8(ascii: "\"") {
            defer { position += 1 }
            return try decoded(bytes[begin..<position])
        }
        var text = Array(bytes[begin..<position])
        while true {
            guard let byte = peek, byte >= 0x20 else { throw error("the closing quote of a text") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try decoded(text[...])
            case UInt8(ascii: "\\"): try escape(into: &text)
            default: text.append(byte)
            }
        }
    }

    /// Passes over a value of any kind.
    ///
    /// Inside lists and objects only texts and brackets are looked at; what else is there is for a parser to judge.
    mutating func value() throws(MalformedInput) -> ArraySlice<UInt8> {
        let begin = position
        var depth = 0
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                try skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return try finished(begin) }
                depth -= 1
                position += 1
            case UInt8(ascii: ","), 0x20, 0x09, 0x0D, 0x0A:
                if depth == 0 { return try finished(begin) }
                position += 1
            default:
                position += 1
            }
            if depth == 0, position > begin,
                bytes[position - 1] == UInt8(ascii: "}")
                    || bytes[position - 1] == UInt8(ascii: "]") || bytes[position - 1] == UInt8(ascii: "\"")
            {
                return bytes[begin..<position]
            }
        }
        guard depth == 0 else { throw error("a closing bracket") }
        return try finished(begin)
    }

    private func finished(_ begin: Int) throws(MalformedInput) -> ArraySlice<UInt8> {
        guard position > begin else { throw error("a value") }
        return bytes[begin..<position]
    }

    private mutating func skipString() throws(MalformedInput) {
        position += 1
        while let byte = peek {
            position += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte == UInt8(ascii: "\\") { position = min(position + 1, bytes.count) }
        }
        throw error("the closing quote of a text")
    }

    private func decoded(_ slice: ArraySlice<UInt8>) throws(MalformedInput) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw MalformedInput(message: "\(ImportRow.notUTF8)")
        }
        return text
    }

    private mutating func escape(into text: inout [UInt8]) throws(MalformedInput) {
        guard let byte = peek else { throw error("a character behind the backslash") }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "u"):
            text.append(contentsOf: String(Character(try unicode())).utf8)
        default:
            position -= 1
            throw error("one of \" \\ / b f n r t u")
        }
    }

    /// Reads what is behind `\u`: four digits, or two such numbers for a character beyond the first 65,536.
    private mutating func unicode() throws(MalformedInput) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw error("a low surrogate") }
        let second = try hexadecimal()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw error("a low surrogate") }
        return scalar
    }

    private mutating func hexadecimal() throws(MalformedInput) -> UInt32 {
        let digits = String(decoding: bytes[position...].prefix(4), as: UTF8.self)
        guard digits.utf8.count == 4, digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let number = UInt32(digits, radix: 16)
        else { throw error("four hexadecimal digits") }
        position += 4
        return number
    }
}
