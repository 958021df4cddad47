import PromptQueue

/// Fields as forms send them, in a query or a body (application/x-www-form-urlencoded, https://url.spec.whatwg.org/#urlencoded-parsing).
struct FormFields: Sendable {
    private(set) var all: [(name: String, value: String)] = []
    /// Those that came back as they are stored (`StoredText`).
    private var exact: Set<String> = []

    init() {}

    init(_ text: some StringProtocol) {
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            all.append((Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : ""))
        }
        restore()
    }

    /// Puts what was shown cleaned, and was left as it is, back as it is stored.
    private mutating func restore() {
        let stored = all.filter { $0.name.hasPrefix(StoredText.prefix) && !AddFields.isKept($0.name) }
        guard !stored.isEmpty else { return }
        all.removeAll { field in stored.contains { $0.name == field.name } }
        for (name, value) in stored {
            let (name, text) = (String(name.dropFirst(StoredText.prefix.count)), Self.decoded(value))
            let place = all.firstIndex { $0.name == name && StoredText.isShown($0.value, text) }
            guard let place else { continue }
            all[place].value = text
            exact.insert(name)
        }
    }

    /// The first value, without the spaces around what somebody has written; nil for none.
    func written(_ name: String) -> String? {
        exact.contains(name) ? all.first { $0.name == name }?.value : self[name]?.trimmingSpaces()
    }

    func isExact(_ name: String) -> Bool { exact.contains(name) }

    /// The first value; nil for none, and for one without anything but spaces.
    subscript(name: String) -> String? {
        guard let value = all.first(where: { $0.name == name })?.value else { return nil }
        return value.allSatisfy(\.isWhitespace) ? nil : value
    }

    /// Whether SQLite could keep every text as it is: to some of its functions U+0000 is the end.
    var hasNull: Bool { all.contains { $0.name.utf8.contains(0) || $0.value.utf8.contains(0) } }

    func values(_ name: String) -> [String] { all.filter { $0.name == name }.map(\.value) }

    mutating func append(_ name: String, _ value: String) { all.append((name, value)) }

    /// A text as it is stored.
    mutating func append(_ name: String, stored value: String) {
        append(name, value)
        exact.insert(name)
    }

    /// With one value for a name, or without any.
    func setting(_ name: String, _ value: String?) -> FormFields {
        var fields = self
        fields.all.removeAll { $0.name == name }
        if let value { fields.all.append((name, value)) }
        return fields
    }

    /// Without those that a form sends, but nobody has filled in.
    var withoutEmpty: FormFields {
        var fields = self
        fields.all.removeAll { $0.value.isEmpty }
        return fields
    }

    /// `?name=value&…`; nothing if there are no fields.
    var query: String {
        all.isEmpty
            ? "" : "?" + all.map { "\(URLText.encoded($0.name))=\(URLText.encoded($0.value))" }.joined(separator: "&")
    }

    /// A text of a form, which may be encoded once more: pages clean what they show, and browsers the ends of lines.
    static func decoded(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let high = digit(rest[rest.startIndex]),
                let low = digit(rest[rest.startIndex + 1])
            {
                bytes.append(high << 4 | low)
                rest.removeFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// Text in a URL.
enum URLText {
    /// Everything but letters, digits and `-._~` as `%XX`.
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }
}
