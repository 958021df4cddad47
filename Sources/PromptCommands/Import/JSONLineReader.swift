import FoundationEssentials
import PromptQueue

/// JSON Lines: one object a line, whose keys are columns of `jobs`.
///
/// Only the top level is taken apart here, byte by byte; what is inside `input` and `labels` is left to a real parser,
/// once for every different text.
struct JSONLineReader: ImportReader {
    private var lines: LineReader
    let reading = Reading()

    init(_ source: ByteSource) { lines = LineReader(source) }

    var offset: Int64 { lines.source.offset }

    mutating func next(into row: inout ImportRow) throws(CommandError) -> Bool {
        while let line = try lines.next() {
            var scanner = JSONScanner(line.bytes)
            scanner.skipSpace()
            guard !scanner.isAtEnd else { continue }
            row.reset(line: line.number)
            do throws(MalformedInput) {
                try read(&scanner, into: &row)
            } catch {
                row.giveUp(error.message)
            }
            return true
        }
        return false
    }

    func input(of bytes: [UInt8], model: CatalogueModel) throws(MalformedInput) -> JSONObject {
        bytes.isEmpty ? [:] : try Self.object(bytes[...])
    }

    static func object(_ bytes: ArraySlice<UInt8>) throws(MalformedInput) -> JSONObject {
        do {
            if let object = try JSONValue(parsing: Data(bytes)).objectValue { return object }
        } catch {
            throw MalformedInput(message: "input: is not JSON")
        }
        throw MalformedInput(message: "input: must be a JSON object, like {\"aspect_ratio\":\"16:9\"}")
    }

    private func read(_ scanner: inout JSONScanner, into row: inout ImportRow) throws(MalformedInput) {
        guard scanner.take(UInt8(ascii: "{")) else {
            throw MalformedInput(message: "is not a JSON object, like {\"prompt\":\"a red fox in the snow\"}")
        }
        scanner.skipSpace()
        if scanner.take(UInt8(ascii: "}")) { return try end(&scanner) }
        var keys: Set<String> = []
        while true {
            scanner.skipSpace()
            let key = try scanner.string()
            // Which of two was meant nobody can tell.
            guard keys.insert(key).inserted else {
                throw MalformedInput(message: "\(BoundedText.word(key)): is there twice; leave one out")
            }
            scanner.skipSpace()
            guard scanner.take(UInt8(ascii: ":")) else { throw scanner.error("a colon") }
            scanner.skipSpace()
            try value(&scanner, of: key, into: &row)
            scanner.skipSpace()
            if scanner.take(UInt8(ascii: ",")) { continue }
            guard scanner.take(UInt8(ascii: "}")) else { throw scanner.error("a comma or the closing brace") }
            return try end(&scanner)
        }
    }

    private func end(_ scanner: inout JSONScanner) throws(MalformedInput) {
        scanner.skipSpace()
        if !scanner.isAtEnd { throw scanner.error("the end of the line") }
    }

    private func value(
        _ scanner: inout JSONScanner,
        of key: String,
        into row: inout ImportRow
    ) throws(MalformedInput) {
        guard let column = ImportColumn(rawValue: key) else {
            row.giveUp("\"\(BoundedText.word(key))\" is no column; there are \(ImportColumn.names)")
            _ = try scanner.value()
            return
        }
        if scanner.peek == UInt8(ascii: "\""), column != .input {
            let text = try scanner.string()
            if text.utf8.contains(0) { row.problems.append("\(key): holds a NUL character") }
            return row.set(column, text: text)
        }
        let value = try scanner.value()
        if value.elementsEqual("null".utf8) { return }
        switch column {
        case .input:
            row.input.append(contentsOf: value)
        case .labels, .priority, .runAt, .maxAttempts:
            row.set(column, text: String(decoding: value, as: UTF8.self))
        case .prompt, .model, .queue, .batch, .uniqueKey:
            row.giveUp("\(key): is not text; put it in quotes")
        }
    }
}
