import PromptQueue

/// Tables as spreadsheets save them (RFC 4180, and semicolons or tabs in place of commas): quoted fields may hold
/// separators, line ends and doubled quotes. The first record names the columns, by `ColumnRules`. An empty cell says
/// nothing, and neither does a row of them.
struct CSVReader: ImportReader {
    private let name: String
    private let rules: ColumnRules
    private var source: ByteSource
    private var separator = UInt8(ascii: ",")
    private var titles: [String] = []
    private var columns: [ColumnRules.Meaning] = []
    /// Where the values of the template are; `nil` for those that are no columns.
    private var places: [Int?] = []
    private var line = 1
    /// The fields of the current record, one behind the other, and where each ends.
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    private(set) var reading = Reading(format: "CSV")

    var offset: Int64 { source.offset }

    /// - Throws: `CommandError` when the header is missing or names unknown columns.
    init(_ source: ByteSource, name: String, _ rules: ColumnRules = ColumnRules()) throws(CommandError) {
        self.source = source
        self.name = name
        self.rules = rules
        try readHeader()
    }

    mutating func next(into row: inout ImportRow) throws(CommandError) -> Bool {
        while true {
            let start = line
            guard let problem = try readRecord() else { return false }
            // Spreadsheets keep rows of which everything was deleted.
            if problem == nil, isBlank { continue }
            if problem == nil, isHeader {
                reading.repeatedHeaders.note(start)
                continue
            }
            row.reset(line: start)
            if problem == nil, isOtherHeader {
                row.giveUp("names columns, but not as line 1 does; import files with different columns one by one")
            } else if let problem {
                row.giveUp(problem)
            } else if ends.count != columns.count, !hasOnlyBlanksBehind {
                row.giveUp("\(count(ends.count, "field")); the header has \(grouped(columns.count))")
            } else {
                fill(&row)
            }
            return true
        }
    }

    /// The input's cells are kept as they are, behind each other, each with its length before it.
    private func fill(_ row: inout ImportRow) {
        for (index, column) in columns.enumerated() {
            let cell = cell(index)
            switch column {
            case .job(.input):
                row.input.append(contentsOf: cell)
            case .field, .flatField:
                var length = UInt32(truncatingIfNeeded: cell.count)
                for _ in 0..<4 {
                    row.input.append(UInt8(truncatingIfNeeded: length))
                    length >>= 8
                }
                row.input.append(contentsOf: cell)
            case .job(let column):
                guard !cell.isEmpty, let text = row.text(cell, column.rawValue) else { continue }
                row.set(column, text: text)
            case .label(let name):
                guard !cell.isEmpty, let text = row.text(cell, "label.\(name)")?.trimmingSpaces(), !text.isEmpty else {
                    continue
                }
                row.ownLabels.append((name, .string(text)))
            case .blank:
                guard !Self.isBlank(cell) else { continue }
                row.problems.append("column \(index + 1): has a value here, but no name in the header")
            case .template, .ignored: break
            }
        }
        guard !places.isEmpty else { return }
        row.values = places.enumerated().map { index, place in
            guard let place else { return nil }
            return row.text(cell(place), rules.template?.names[index] ?? "")?.trimmingSpaces()
        }
    }

    private func cell(_ index: Int) -> ArraySlice<UInt8> {
        bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    func input(of bytes: [UInt8], model: CatalogueModel) throws(MalformedInput) -> RowInput {
        var input = RowInput()
        var rest = bytes[...]
        for column in columns {
            switch column {
            case .job(.input):
                if !Self.isBlank(rest) { input.object = try JSONLineReader.object(rest) }
            case .field(let name), .flatField(let name):
                var length = 0
                for (place, byte) in rest.prefix(4).enumerated() { length |= Int(byte) << (8 * place) }
                let cell = rest.dropFirst(4).prefix(length)
                rest = rest.dropFirst(4 + length)
                guard !cell.isEmpty else { continue }
                guard let text = String(validating: cell, as: UTF8.self) else {
                    throw MalformedInput(message: "input.\(name): \(ImportRow.notUTF8)")
                }
                if case .flatField = column { try model.checkFlat(name) }
                input.object[name] = try CellReader.value(of: text, for: name, model, &input.guesses)
            case .job, .label, .template, .ignored, .blank: break
            }
        }
        return input
    }

    // MARK: - Header

    private mutating func readHeader() throws(CommandError) {
        try source.begin(hasQuotes: true)
        if source.lineEnd == .carriageReturn { reading.guess("lines end with CR") }
        try findSeparator()
        let start = line
        guard try readRecord() != nil, !isBlank else {
            throw CommandError(.badData, "\(name): is empty; its first line must name the columns")
        }
        guard ends.count <= Self.maximumColumns else {
            throw error(start, "has \(grouped(ends.count)) columns; there may be \(grouped(Self.maximumColumns))")
        }
        titles = fields
        let hasModel = titles.contains { ColumnRules.key($0) == ImportColumn.model.rawValue }
        var unknown: [String] = []
        var seen: Set<String> = []
        for title in titles {
            guard let meaning = rules.meaning(of: title, hasModel: hasModel) else {
                unknown.append(title.trimmingSpaces())
                continue
            }
            if let target = meaning.target, !seen.insert(target).inserted {
                throw error(start, "the column \"\(BoundedText.word(title.trimmingSpaces()))\" is there twice")
            }
            columns.append(meaning)
            reading.note(meaning, title, rules)
        }
        guard unknown.isEmpty else { throw error(start, rules.refusal(of: unknown)) }
        let hasFields = columns.contains {
            switch $0 {
            case .field, .flatField: true
            default: false
            }
        }
        if columns.contains(.job(.input)), hasFields {
            throw error(start, "has the column input and columns input.NAME; use one or the other")
        }
        let hasLabel = columns.contains { if case .label = $0 { true } else { false } }
        if columns.contains(.job(.labels)), hasLabel {
            throw error(start, "has the column labels and columns that become labels; use one or the other")
        }
        let keys = titles.map(ColumnRules.key)
        for wanted in rules.only where !keys.contains(ColumnRules.key(wanted)) {
            throw error(start, "has no column \"\(BoundedText.word(wanted))\", which --columns names")
        }
        guard let template = rules.template else { return }
        places = template.keys.map { place(of: $0, keys) }
        for (place, name) in zip(places, template.names)
        where place == nil && !rules.given.contains(ColumnRules.key(name)) {
            throw error(start, "has no column \"\(BoundedText.word(name))\", which --template names")
        }
    }

    private func place(of key: String, _ keys: [String]) -> Int? {
        keys.firstIndex(of: key)
            ?? columns.firstIndex { $0.target == key || $0.target == "input.\(key)" || $0.target == "label.\(key)" }
    }

    private mutating func findSeparator() throws(CommandError) {
        let named = CSVDialect.named(in: try source.head())
        if named != nil { _ = try readRecord() }
        if let separator = rules.separator {
            self.separator = separator
        } else if let named {
            guard CSVDialect.separators.contains(named) else {
                throw error(1, "names another separator than , ; or a tab; save the file with one of these")
            }
            separator = named
            reading.guess("\(CSVDialect.name(separator)) between columns")
        } else {
            let head = try source.head()
            do throws(MalformedInput) {
                separator = try CSVDialect.separator(of: head, rules)
            } catch {
                throw self.error(1, error.message)
            }
            if separator != CSVDialect.separators.first {
                reading.guess("\(CSVDialect.name(separator)) between columns")
            }
        }
    }

    private func error(_ line: Int, _ message: String) -> CommandError {
        CommandError(.badData, "\(name):\(line): \(message)")
    }

    // MARK: - Records

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
            let isLast = try source.peek() == Self.quote ? try readQuoted(&problem) : try readRest(&problem)
            ends.append(bytes.count)
            guard isLast else { continue }
            line += 1
            return .some(problem)
        }
    }

    /// Reads up to the separator or the line end behind a field.
    ///
    /// - Returns: whether the record ends there.
    private mutating func readRest(_ problem: inout String?) throws(CommandError) -> Bool {
        let separator = separator
        while true {
            try source.append(to: &bytes) {
                $0 == separator || $0 == ByteSource.newline || $0 == ByteSource.carriageReturn
            }
            guard let stop = try source.peek() else { return true }
            if stop == separator {
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

    // MARK: - Rows that are none

    private var isBlank: Bool { Self.isBlank(bytes[...]) }

    private static func isBlank(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first else { return true }
        // A no-break space begins with this.
        guard first == 0x20 || first == 0x09 || first == 0xC2 else { return false }
        return String(decoding: bytes, as: UTF8.self).allSatisfy(\.isWhitespace)
    }

    /// Whether the record has more fields than the header, and nothing in them.
    private var hasOnlyBlanksBehind: Bool {
        ends.count > columns.count && (columns.count..<ends.count).allSatisfy { Self.isBlank(cell($0)) }
    }

    /// Whether the record is the header, as in files that were put together, or what names the separator before it.
    private var isHeader: Bool {
        guard let first = titles.first, let end = ends.first, end <= first.utf8.count + 8 else { return false }
        if bytes.count <= 5, CSVDialect.named(in: bytes + [separator]) == separator { return true }
        guard ends.count == titles.count else { return false }
        return fields.elementsEqual(titles) { ColumnRules.key($0) == ColumnRules.key($1) }
    }

    /// Whether the record names columns, but others than the header: `prompt` alone would be paid for.
    private var isOtherHeader: Bool {
        guard namesPrompt else { return false }
        if let place = columns.firstIndex(of: .job(.prompt)), place < ends.count,
            ColumnRules.key(String(decoding: cell(place), as: UTF8.self)) == ImportColumn.prompt.rawValue
        {
            return true
        }
        // The other file may have had another separator.
        let names = fields.flatMap { $0.split { $0 == "," || $0 == ";" || $0 == "\t" } }.map(ColumnRules.key)
        return names.contains(ImportColumn.prompt.rawValue)
            && names.allSatisfy { $0.isEmpty || $0.hasPrefix("input.") || ImportColumn(rawValue: $0) != nil }
    }

    /// Whether the word is in the record, in any case: most records are told from headers by that.
    private var namesPrompt: Bool {
        let word = Array(ImportColumn.prompt.rawValue.utf8)
        guard bytes.count >= word.count, bytes.count <= 4_096 else { return false }
        for begin in 0...(bytes.count - word.count) where bytes[begin] | 0x20 == word[0] {
            if zip(bytes[begin...], word).allSatisfy({ $0 | 0x20 == $1 }) { return true }
        }
        return false
    }

    private var fields: [String] {
        ends.indices.map { String(decoding: cell($0), as: UTF8.self) }
    }

    /// No model has a tenth as many fields.
    private static let maximumColumns = 1_000
    private static let quote = UInt8(ascii: "\"")
}
