/// A text in a job's input that stands for another job's result: `job:12/0`, or `key:shot-7/0` by its unique key. Without a
/// number the first result is meant.
///
/// The schema reads them in the same way (the view `input_references`).
package struct InputReference: Sendable, Hashable {
    package enum Source: Sendable, Hashable {
        case job(JobID)
        case key(String)
    }

    /// As it is in the input.
    package let text: String
    /// Nil if it is an id that no job can have.
    package let source: Source?
    package let ordinal: Int

    /// Nil for a text that is no reference: one with a space in it, or a URL.
    package init?(_ text: String) {
        // By far the most texts are others.
        let isJob = text.utf8.starts(with: "job:".utf8)
        guard text.utf8.count > 4, isJob || text.utf8.starts(with: "key:".utf8) else { return nil }
        let rest = text.utf8.dropFirst(4)
        guard !text.utf8.contains(where: { $0 == 0x20 || (9...13).contains($0) }), let first = rest.first else {
            return nil
        }
        guard isJob ? Self.isDigit(first) : !rest.starts(with: "//".utf8) else { return nil }
        self.text = text
        var name = Substring(rest)
        var ordinal = 0
        // A key may hold slashes: only digits behind the last one are a number.
        let digits = rest.reversed().prefix(while: Self.isDigit).count
        let bare = rest.dropLast(digits)
        if (1...6).contains(digits), bare.count > 1, bare.last == UInt8(ascii: "/") {
            name = Substring(bare.dropLast())
            ordinal = Int(Substring(rest.suffix(digits))) ?? 0
        }
        self.ordinal = ordinal
        if isJob {
            source =
                name.utf8.allSatisfy(Self.isDigit) && name.utf8.count <= 18 ? Int64(name).map { .job(JobID($0)) } : nil
        } else {
            source = .key(String(name))
        }
    }

    // Keys are told apart by their bytes, as the schema does.
    package static func == (left: InputReference, right: InputReference) -> Bool {
        ExactText(left.text) == ExactText(right.text)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(ExactText(text)) }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// Those of an input, each once, in the order of its fields.
    package static func all(in value: JSONValue) -> [InputReference] {
        var found: [InputReference] = []
        func look(_ value: JSONValue) {
            switch value {
            case .string(let text):
                if let reference = InputReference(text), !found.contains(reference) { found.append(reference) }
            case .array(let items): items.forEach(look)
            case .object(let object): for key in object.keys.sorted() { look(object[key] ?? .null) }
            case .null, .bool, .integer, .unsigned, .number: break
            }
        }
        look(value)
        return found
    }
}

extension JSONValue {
    /// With other texts instead of some.
    ///
    /// - Parameter replacement: nil: the text stays.
    package func replacingTexts(_ replacement: (String) -> String?) -> JSONValue {
        switch self {
        case .string(let text): replacement(text).map { .string($0) } ?? self
        case .array(let items): .array(items.map { $0.replacingTexts(replacement) })
        case .object(let object): .object(object.mapValues { $0.replacingTexts(replacement) })
        case .null, .bool, .integer, .unsigned, .number: self
        }
    }
}
