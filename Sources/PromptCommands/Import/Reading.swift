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

    /// Headers that came again, as in files that were put together.
    var repeatedHeaders = Lines()

    /// Sentences for people: what was left out.
    var notes: [String] {
        var notes: [String] = []
        if repeatedHeaders.count > 0 {
            let verb = repeatedHeaders.count == 1 ? "repeats the header and is" : "repeat the header and are"
            notes.append("\(repeatedHeaders.description) \(verb) left out")
        }
        return notes
    }
}
