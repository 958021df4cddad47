import PromptQueue

/// What a reader made of a file, beyond its rows.
struct Reading {
    /// Lines of one kind.
    struct Lines {
        private(set) var count = 0
        /// The first few.
        private(set) var first: [Int] = []

        mutating func note(_ line: Int) {
            count += 1
            if first.count < 5 { first.append(line) }
        }

        /// `line 3`, `lines 3, 9 and 2 more`.
        var description: String {
            let shown = first.map(grouped).joined(separator: ", ")
            return "line\(count == 1 ? "" : "s") \(shown)"
                + (count > first.count ? " and \(grouped(count - first.count)) more" : "")
        }
    }

    /// `CSV`.
    var format: String
    /// `; between columns`.
    private(set) var traits: [String] = []
    /// `prompt`, `SKU → label sku`.
    private(set) var columns: [String] = []
    /// Whether somebody may have meant something else.
    private(set) var isGuessed = false
    /// Headers that came again, as in files that were put together.
    var repeatedHeaders = Lines()
    /// Columns that were probably meant for others: `"promt" becomes a label; was prompt meant?`.
    private(set) var doubts: [String] = []

    init(format: String) { self.format = format }

    mutating func guess(_ trait: String) {
        traits.append(trait)
        isGuessed = true
    }

    mutating func note(_ meaning: ColumnRules.Meaning, _ title: String, _ rules: ColumnRules) {
        guard let description = meaning.description(of: title), columns.count < 1_000 else { return }
        columns.append(description)
        if description != title { isGuessed = true }
        let what: String
        switch meaning {
        case .label where rules.extra == .labels && !ColumnRules.key(title).hasPrefix("label"): what = "becomes a label"
        case .ignored where rules.only.isEmpty: what = "is left out"
        default: return
        }
        if let near = rules.nearMiss(of: title) {
            doubts.append("\"\(oneLine(BoundedText.word(title.trimmingSpaces())))\" \(what); was \(near) meant?")
        }
    }

    /// `CSV, ; between columns: prompt, SKU → label sku`.
    func description(_ encoding: TextEncoding) -> String {
        let traits = [format] + traits + (encoding == .utf8 ? [] : [encoding.name])
        let shown = columns.prefix(30).joined(separator: ", ")
        let more = columns.count > 30 ? " and \(grouped(columns.count - 30)) more" : ""
        return traits.joined(separator: ", ") + (columns.isEmpty ? "" : ": \(shown)\(more)")
    }

    /// Sentences for people: what was left out, and what is odd.
    var notes: [String] {
        var notes = doubts
        if repeatedHeaders.count > 0 {
            let verb = repeatedHeaders.count == 1 ? "repeats the header and is" : "repeat the header and are"
            notes.append("\(repeatedHeaders.description) \(verb) left out")
        }
        return notes
    }
}
