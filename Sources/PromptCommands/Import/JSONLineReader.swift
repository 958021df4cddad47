import FoundationEssentials
import PromptQueue

/// JSON Lines: one object a line, whose keys are columns of `jobs`; or a list of such objects.
///
/// Only the top level is taken apart here, byte by byte; what is inside `input` and `labels` is left to a real parser,
/// once for every different text.
struct JSONLineReader: ImportReader {
    private var entries: JSONEntries
    private let rules: ColumnRules
    /// What the keys of the file mean; `nil` for those that are no columns.
    private var meanings: [String: ColumnRules.Meaning?] = [:]
    private(set) var reading = Reading(format: "JSON lines")

    init(_ source: ByteSource, _ rules: ColumnRules = ColumnRules()) {
        entries = JSONEntries(source)
        self.rules = rules
    }

    var offset: Int64 { entries.offset }

    mutating func next(into row: inout ImportRow) throws(CommandError) -> Bool {
        while true {
            let entry: LineReader.Line
            do throws(JSONEntries.Failure) {
                guard let next = try entries.next() else { return false }
                entry = next
            } catch {
                switch error {
                case .unreadable(let error): throw error
                case .malformed(let line, let message):
                    row.reset(line: line)
                    row.giveUp(message)
                    return true
                }
            }
            if reading.columns.isEmpty, reading.traits.isEmpty {
                if entries.isList { reading.guess("in a list") }
                if entries.lineEnd == .carriageReturn { reading.guess("lines end with CR") }
            }
            var scanner = JSONScanner(entry.bytes)
            scanner.skipSpace()
            if scanner.isAtEnd, !entries.isList { continue }
            row.reset(line: entry.number)
            if let template = rules.template { row.values = template.names.map { _ in nil } }
            do throws(MalformedInput) {
                try read(&scanner, into: &row)
            } catch {
                let text = String(decoding: entry.bytes, as: UTF8.self)
                row.giveUp(CellReader.hasTypographicQuotes(text) ? CellReader.typographicQuotes : error.message)
            }
            return true
        }
    }

    /// Fields that stand beside the columns come first, behind a zero byte and their length.
    func input(of bytes: [UInt8], model: CatalogueModel) throws(MalformedInput) -> RowInput {
        guard bytes.first == 0 else { return RowInput(object: bytes.isEmpty ? [:] : try Self.object(bytes[...])) }
        var length = 0
        for (place, byte) in bytes.dropFirst().prefix(4).enumerated() { length |= Int(byte) << (8 * place) }
        let rest = bytes.dropFirst(5 + length)
        let beside = try Self.object(bytes.dropFirst(5).prefix(length))
        var object = rest.isEmpty ? [:] : try Self.object(rest)
        for (key, value) in beside {
            let isFlat = key.hasPrefix("=")
            let name = String(key.dropFirst())
            if isFlat { try model.checkFlat(name) }
            guard object.updateValue(value, forKey: name) == nil else {
                throw MalformedInput(message: "\(name): is there twice, in input and beside it; leave one out")
            }
        }
        return RowInput(object: object)
    }

    static func object(_ bytes: ArraySlice<UInt8>) throws(MalformedInput) -> JSONObject {
        do throws(JSONError) {
            if let object = try JSONValue(parsing: Data(bytes)).objectValue { return object }
        } catch {
            let isTypographic = CellReader.hasTypographicQuotes(String(decoding: bytes, as: UTF8.self))
            throw MalformedInput(message: "input: \(isTypographic ? CellReader.typographicQuotes : error.description)")
        }
        throw MalformedInput(message: "input: must be a JSON object, like {\"aspect_ratio\":\"16:9\"}")
    }

    private mutating func read(_ scanner: inout JSONScanner, into row: inout ImportRow) throws(MalformedInput) {
        guard scanner.take(UInt8(ascii: "{")) else {
            throw MalformedInput(message: "is not a JSON object, like {\"prompt\":\"a red fox in the snow\"}")
        }
        scanner.skipSpace()
        if scanner.take(UInt8(ascii: "}")) { return try end(&scanner) }
        var seen: Set<String> = []
        var beside: [UInt8] = []
        var unknown: [String] = []
        while true {
            scanner.skipSpace()
            let key = try scanner.string()
            let meaning = meaning(of: key)
            // Which of two was meant nobody can tell.
            guard seen.insert(meaning?.target ?? key).inserted else {
                throw MalformedInput(message: "\(BoundedText.word(key)): is there twice; leave one out")
            }
            scanner.skipSpace()
            guard scanner.take(UInt8(ascii: ":")) else { throw scanner.error("a colon") }
            scanner.skipSpace()
            try value(&scanner, of: key, meaning, &beside, into: &row)
            if meaning == nil { unknown.append(key) }
            scanner.skipSpace()
            if scanner.take(UInt8(ascii: ",")) { continue }
            guard scanner.take(UInt8(ascii: "}")) else { throw scanner.error("a comma or the closing brace") }
            try end(&scanner)
            break
        }
        if !unknown.isEmpty { row.giveUp(rules.refusal(of: unknown)) }
        if row.labels != nil, !row.ownLabels.isEmpty {
            row.giveUp("has labels and keys that become labels; use one or the other")
        }
        guard !beside.isEmpty else { return }
        beside.append(UInt8(ascii: "}"))
        var header: [UInt8] = [0]
        for place in 0..<4 { header.append(UInt8(truncatingIfNeeded: beside.count >> (8 * place))) }
        row.input = header + beside + row.input
    }

    private mutating func meaning(of key: String) -> ColumnRules.Meaning? {
        if let known = meanings[key] { return known }
        // A field may be that of whatever model the line names.
        let meaning = rules.meaning(of: key, hasModel: true)
        guard meanings.count < 1_000 else { return meaning }
        meanings[key] = .some(meaning)
        if let meaning { reading.note(meaning, key, rules) }
        return meaning
    }

    private func end(_ scanner: inout JSONScanner) throws(MalformedInput) {
        scanner.skipSpace()
        if !scanner.isAtEnd { throw scanner.error("the end of the line") }
    }

    private func value(
        _ scanner: inout JSONScanner,
        of key: String,
        _ meaning: ColumnRules.Meaning?,
        _ beside: inout [UInt8],
        into row: inout ImportRow
    ) throws(MalformedInput) {
        if case .job(let column) = meaning {
            let isText = scanner.peek == UInt8(ascii: "\"")
            if isText {
                let text = try scanner.string()
                if column == .input {
                    // The object as a text: there is one meaning.
                    row.input.append(contentsOf: text.utf8)
                    return
                }
                if text.utf8.contains(0) { row.problems.append("\(key): holds a NUL character") }
                row.set(column, text: text)
                return keep(text, key, meaning, &row)
            }
            let value = try scanner.value()
            if value.elementsEqual("null".utf8) { return }
            switch column {
            case .input:
                row.input.append(contentsOf: value)
            case .labels, .priority, .runAt, .maxAttempts:
                let text = String(decoding: value, as: UTF8.self)
                row.set(column, text: text)
                keep(text, key, meaning, &row)
            case .prompt, .model, .queue, .batch, .uniqueKey:
                row.giveUp("\(key): is not text; put it in quotes")
            }
            return
        }
        let bytes = try scanner.value()
        switch meaning {
        case .field(let name), .flatField(let name):
            beside.append(beside.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            let isFlat = meaning == .flatField(name)
            beside.append(contentsOf: JSONValue.string((isFlat ? "=" : ".") + name).json.utf8)
            beside.append(UInt8(ascii: ":"))
            beside.append(contentsOf: bytes)
        case .label(let name):
            do throws(JSONError) {
                let value = try JSONValue(parsing: Data(bytes))
                if value != .null { row.ownLabels.append((name, value)) }
            } catch {
                throw MalformedInput(message: "\(BoundedText.word(key)): \(error.description)")
            }
        case .job, .template, .ignored, .blank, nil: break
        }
        guard rules.template != nil, let value = try? JSONValue(parsing: Data(bytes)) else { return }
        switch value {
        case .string(let text): keep(text, key, meaning, &row)
        case .integer, .unsigned, .number, .bool: keep(value.json, key, meaning, &row)
        case .null, .array, .object: break
        }
    }

    /// Keeps what the template needs.
    private func keep(_ text: String, _ key: String, _ meaning: ColumnRules.Meaning?, _ row: inout ImportRow) {
        guard let template = rules.template else { return }
        let own = ColumnRules.key(key)
        for (place, wanted) in template.keys.enumerated()
        where own == wanted || meaning?.target == wanted || meaning?.target == "input.\(wanted)"
            || meaning?.target == "label.\(wanted)"
        {
            row.values[place] = text.trimmingSpaces()
        }
    }
}
