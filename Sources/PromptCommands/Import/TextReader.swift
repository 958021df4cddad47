import PromptQueue

/// One prompt a line; empty lines are nothing.
struct TextReader: ImportReader {
    private var lines: LineReader

    init(_ source: ByteSource) { lines = LineReader(source) }

    var offset: Int64 { lines.source.offset }

    mutating func next(into row: inout ImportRow) throws(CommandError) -> Bool {
        while let line = try lines.next() {
            guard line.bytes.contains(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }) else { continue }
            row.reset(line: line.number)
            row.prompt = row.text(line.bytes, "prompt")
            return true
        }
        return false
    }

    func input(of bytes: [UInt8], model: CatalogueModel) -> JSONObject { [:] }
}
