/// What cells were taken for that say something else, and in which lines.
struct Guesses {
    private var lines: [String: Reading.Lines] = [:]
    /// In the order in which they came.
    private var kinds: [String] = []
    private var others = Reading.Lines()

    var isEmpty: Bool { kinds.isEmpty }

    mutating func note(_ kind: String, _ line: Int) {
        if lines[kind] == nil {
            guard kinds.count < 50 else { return others.note(line) }
            kinds.append(kind)
        }
        lines[kind, default: Reading.Lines()].note(line)
    }

    /// `aspect_ratio: "16:09" is taken for 16:9, of which a spreadsheet made a time (lines 2, 3)`.
    var sentences: [String] {
        let known = kinds.map { "\($0) (\(lines[$0]?.description ?? ""))" }
        return others.count == 0 ? known : known + ["and others like it (\(others.description))"]
    }
}
