import PromptQueue

/// Comma-separated values (RFC 4180): quoted fields may hold commas, line ends and doubled quotes. The first record names
/// the columns: those of `jobs`, and `input.NAME` for the fields of the input. An empty field says nothing.
struct CSVReader: ImportReader {
    private enum Column {
        case job(ImportColumn)
        case input(String)
    }

    private var source: ByteSource
    private var columns: [Column] = []
    private var titles: [String] = []
    private(set) var reading = Reading()
    private var line = 1
    /// The fields of the current record, one behind the other, and where each ends.
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    private let name: String

    var offset: Int64 { source.offset }

    /// - Throws: `CommandError` when the header is missing or names unknown columns.
    init(_ source: ByteSource, name: String) throws(CommandError) {
        self.source = source
        self.name = name
        try readHeader()
    }

    mutating func next(into row: inout ImportRow) throws(CommandError) -> Bool {
        while true {
            let start = line
            guard let problem = try readRecord() else { return false }
            // A line without anything is no record.
            if ends.count == 1, bytes.isEmpty, problem == nil { continue }
            if problem == nil, isHeader {
                reading.repeatedHeaders.note(start)
                continue
            }
            row.reset(line: start)
            if problem == nil, isOtherHeader {
                row.giveUp("names columns, but others than line 1; import files with different columns one by one")
            } else if let problem {
                row.giveUp(problem)
            } else if ends.count != columns.count {
                row.giveUp("\(count(ends.count, "field")); the header has \(grouped(columns.count))")
            } else {
                fill(&row)
            }
            return true
        }
    }

    /// The input's cells are kept as they are, behind each other, each with its length before it.
    private func fill(_ row: inout ImportRow) {
        var begin = 0
        for (index, end) in ends.enumerated() {
            defer { begin = end }
            switch columns[index] {
            case .job(.input):
                row.input.append(contentsOf: bytes[begin..<end])
            case .input:
                var length = UInt32(truncatingIfNeeded: end - begin)
                for _ in 0..<4 {
                    row.input.append(UInt8(truncatingIfNeeded: length))
                    length >>= 8
                }
                row.input.append(contentsOf: bytes[begin..<end])
            case .job(let column):
                guard begin < end, let text = row.text(bytes[begin..<end], column.rawValue) else { continue }
                row.set(column, text: text)
            }
        }
    }

    func input(of bytes: [UInt8], model: CatalogueModel) throws(MalformedInput) -> JSONObject {
        var object: JSONObject = [:]
        var rest = bytes[...]
        for column in columns {
            switch column {
            case .job(.input):
                if !rest.isEmpty { object = try JSONLineReader.object(rest) }
            case .job: break
            case .input(let name):
                var length = 0
                for (place, byte) in rest.prefix(4).enumerated() { length |= Int(byte) << (8 * place) }
                let cell = rest.dropFirst(4).prefix(length)
                rest = rest.dropFirst(4 + length)
                guard !cell.isEmpty else { continue }
                guard let text = String(validating: cell, as: UTF8.self) else {
                    throw MalformedInput(message: "input.\(name): \(ImportRow.notUTF8)")
                }
                object[name] = model.value(forField: name, text: text)
            }
        }
        return object
    }

    // MARK: - Records

    private mutating func readHeader() throws(CommandError) {
        try source.begin(hasQuotes: true)
        guard try readRecord() != nil, !(ends.count == 1 && bytes.isEmpty) else {
            throw CommandError(.badData, "\(name): is empty; its first line must name the columns")
        }
        guard ends.count <= Self.maximumColumns else {
            throw CommandError(
                .badData,
                "\(name):1: has \(grouped(ends.count)) columns; there may be \(grouped(Self.maximumColumns))"
            )
        }
        var begin = 0
        var seen: Set<String> = []
        for end in ends {
            let title = String(decoding: bytes[begin..<end], as: UTF8.self)
            begin = end
            titles.append(title)
            guard seen.insert(title).inserted else {
                throw CommandError(.badData, "\(name):1: the column \"\(title)\" is there twice")
            }
            if title.hasPrefix("input."), title.utf8.count > 6 {
                columns.append(.input(String(title.dropFirst(6))))
            } else if let column = ImportColumn(rawValue: title) {
                columns.append(.job(column))
            } else {
                throw CommandError(.badData, "\(name):1: \(Self.explain(title))")
            }
        }
        let hasInput = columns.contains { if case .job(.input) = $0 { true } else { false } }
        let hasFields = columns.contains { if case .input = $0 { true } else { false } }
        if hasInput, hasFields {
            throw CommandError(.badData, "\(name):1: has the column input and columns input.NAME; use one or the other")
        }
    }

    private static func explain(_ title: String) -> String {
        for (separator, word) in [(";", "semicolons"), ("\t", "tabs")] where title.contains(separator) {
            return "the columns are separated by \(word); save the file with commas"
        }
        return "\"\(BoundedText.word(title))\" is no column; there are \(ImportColumn.names) and input.NAME"
    }

    /// Reads one record into `bytes` and `ends`.
    ///
    /// - Returns: `nil` at the end of the file; else what is wrong with the record, if anything.
    private mutating func readRecord() throws(CommandError) -> String?? {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        try source.skipByteOrderMark()
        guard try source.peek() != nil else { return nil }
        var problem: String?
        while true {
            let isLast =
                try source.peek() == Self.quote ? try readQuoted(&problem) : try readRest(&problem)
            ends.append(bytes.count)
            guard isLast else { continue }
            line += 1
            return .some(problem)
        }
    }

    /// Reads up to the comma or the line end behind a field.
    ///
    /// - Returns: whether the record ends there.
    private mutating func readRest(_ problem: inout String?) throws(CommandError) -> Bool {
        while true {
            try source.append(to: &bytes) {
                $0 == Self.comma || $0 == ByteSource.newline || $0 == ByteSource.carriageReturn
            }
            guard let stop = try source.peek() else { return true }
            if stop == Self.comma {
                _ = try source.next()
                return false
            }
            switch try source.takeBreak(into: &bytes) {
            case .lineEnd: return true
            case .foreignLineEnd:
                problem = problem ?? ImportRow.mixedLineEnds
                return true
            case .stray: problem = problem ?? ImportRow.mixedLineEnds
            }
        }
    }

    /// Reads a field from its opening quote up to what is behind it.
    private mutating func readQuoted(_ problem: inout String?) throws(CommandError) -> Bool {
        _ = try source.next()
        let start = line
        let newline = source.lineEnd == .lineFeed ? ByteSource.newline : ByteSource.carriageReturn
        while true {
            let begin = bytes.count
            try source.append(to: &bytes) { $0 == Self.quote }
            for byte in bytes[begin...] where byte == newline { line += 1 }
            guard try source.next() != nil else {
                problem = problem ?? "a quoted field that begins in line \(start) has no end"
                return true
            }
            guard try source.peek() == Self.quote else { break }
            bytes.append(Self.quote)
            _ = try source.next()
        }
        let end = bytes.count
        let isLast = try readRest(&problem)
        if bytes.count > end {
            problem = problem ?? "there is text behind a closing quote; quotes inside a field are doubled"
        }
        return isLast
    }

    // MARK: - Headers that come again

    /// Whether the record is the header, as in files that were put together.
    private var isHeader: Bool {
        guard let first = titles.first, let end = ends.first, end == first.utf8.count, ends.count == titles.count
        else { return false }
        return fields.elementsEqual(titles) { $0.trimmingSpaces().lowercased() == $1.lowercased() }
    }

    /// Whether the record names columns, but others than the header.
    private var isOtherHeader: Bool {
        guard let end = ends.first, end <= 40 else { return false }
        let names = fields.map { $0.trimmingSpaces().lowercased() }
        return names.contains("prompt")
            && names.allSatisfy { $0.isEmpty || $0.hasPrefix("input.") || ImportColumn(rawValue: $0) != nil }
    }

    private var fields: [String] {
        var begin = 0
        return ends.map { end in
            defer { begin = end }
            return String(decoding: bytes[begin..<end], as: UTF8.self)
        }
    }

    /// No model has a tenth as many fields.
    private static let maximumColumns = 1_000
    private static let comma = UInt8(ascii: ",")
    private static let quote = UInt8(ascii: "\"")
}
