import PromptQueue

/// One prompt a line; empty lines are nothing.
struct TextReader: ImportReader {
    private var lines: LineReader
    /// The file's, if it is checked for being of another format.
    private var suspect: String?
    private(set) var reading = Reading(format: "text, a prompt each")

    /// - Parameter name: the file's, if nobody has said that it holds prompts: lines that are rows of a table, or JSON, would
    ///   be paid for otherwise.
    init(_ source: ByteSource, suspecting name: String? = nil) {
        lines = LineReader(source)
        suspect = name
    }

    var offset: Int64 { lines.source.offset }

    mutating func next(into row: inout ImportRow) throws(CommandError) -> Bool {
        while let line = try lines.next() {
            if line.number == 1, lines.source.lineEnd == .carriageReturn { reading.guess("lines end with CR") }
            guard line.bytes.contains(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }) else { continue }
            if let name = suspect {
                try Self.check(String(decoding: line.bytes.prefix(2_000), as: UTF8.self), "\(name):\(line.number)")
                suspect = nil
            }
            row.reset(line: line.number)
            row.prompt = row.text(line.bytes, "prompt")
            if line.hasForeignEnd { row.giveUp(ImportRow.mixedLineEnds) }
            return true
        }
        return false
    }

    func input(of bytes: [UInt8], model: CatalogueModel) -> RowInput { RowInput() }

    private static func check(_ line: String, _ place: String) throws(CommandError) {
        let cells = line.split { $0 == "," || $0 == ";" || $0 == "\t" }
            .map { $0.filter { $0 != "\"" }.trimmingSpaces().lowercased() }
        if cells.contains("prompt"), cells.allSatisfy({ $0.hasPrefix("input.") || ImportColumn(rawValue: $0) != nil }) {
            throw CommandError(
                .badData,
                "\(place): names columns, as in a table: give --format csv, or --format txt if each line is a prompt"
            )
        }
        let start = line.trimmingSpaces().filter { !$0.isWhitespace }.prefix(3)
        if start.hasPrefix("{\"") || start.hasPrefix("[{") {
            throw CommandError(
                .badData,
                "\(place): is JSON: give --format jsonl, or --format txt if each line is a prompt"
            )
        }
    }
}
