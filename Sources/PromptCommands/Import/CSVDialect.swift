import PromptQueue

/// What stands between the columns of a table.
enum CSVDialect {
    static let separators: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]

    static func name(_ separator: UInt8) -> String {
        switch separator {
        case UInt8(ascii: "\t"): "tabs"
        default: String(UnicodeScalar(separator))
        }
    }

    /// The separator that a first line `sep=;` names, as spreadsheets write it.
    static func named(in head: ArraySlice<UInt8>) -> UInt8? {
        let line = head.prefix(12).prefix { $0 != ByteSource.newline && $0 != ByteSource.carriageReturn }
        let text = String(decoding: line.filter { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
        guard text.utf8.count == 5, text.lowercased().hasPrefix("sep="), let last = text.utf8.last else { return nil }
        return last
    }

    /// The separator that makes the most columns of the first record, those that are known before all.
    ///
    /// - Throws: `MalformedInput` when two make as many.
    static func separator(of head: ArraySlice<UInt8>, _ rules: ColumnRules) throws(MalformedInput) -> UInt8 {
        var rules = rules
        rules.extra = .refuse
        rules.only = []
        let found = separators.map { separator -> (known: Int, columns: Int, separator: UInt8) in
            let titles = titles(of: head, separator)
            let hasModel = titles.contains { ColumnRules.key($0) == ImportColumn.model.rawValue }
            let known = titles.count { title in
                let meaning = rules.meaning(of: title, hasModel: hasModel)
                return meaning != nil && meaning != .blank
            }
            return (known, titles.count, separator)
        }
        guard let best = found.max(by: { ($0.known, $0.columns) < ($1.known, $1.columns) }) else {
            return separators[0]
        }
        let equal = found.filter { $0.known == best.known && $0.columns == best.columns }
        guard equal.count > 1, best.columns > 1 else { return equal.first?.separator ?? best.separator }
        let names = equal.map { name($0.separator) }.joined(separator: " or ")
        throw MalformedInput(message: "the columns may be parted by \(names); say which with --separator")
    }

    /// The titles, roughly: enough to count them.
    private static func titles(of head: ArraySlice<UInt8>, _ separator: UInt8) -> [String] {
        var titles: [String] = []
        var title: [UInt8] = []
        var isQuoted = false
        loop: for byte in head.prefix(64 << 10) {
            switch byte {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case separator where !isQuoted:
                titles.append(String(decoding: title, as: UTF8.self))
                title.removeAll(keepingCapacity: true)
            case ByteSource.newline where !isQuoted, ByteSource.carriageReturn where !isQuoted: break loop
            default: title.append(byte)
            }
            if titles.count > 1_000 { break }
        }
        return titles + [String(decoding: title, as: UTF8.self)]
    }
}
