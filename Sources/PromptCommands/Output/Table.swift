import PromptQueue

/// Columns of text, aligned, two spaces apart.
struct Table {
    enum Alignment: Sendable {
        case left, right
    }

    struct Column: Sendable {
        var title: String
        var alignment = Alignment.left
        /// Gives way, down to 12 columns, and to 6 if that does not do, where the terminal is narrow.
        var isFlexible = false
    }

    struct Cell {
        var text: String
        var style: Style?
    }

    let columns: [Column]
    private(set) var rows: [[Cell]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    /// - Parameter width: what the lines may be wide; `nil`: as they are.
    func lines(width: Int?, hasColour: Bool) -> [String] {
        var widths = columns.indices.map { index in
            rows.reduce(displayWidth(columns[index].title)) { max($0, displayWidth($1[index].text)) }
        }
        if let width {
            var excess = widths.reduce(2 * (columns.count - 1), +) - width
            for least in [12, 6] {
                for index in columns.indices where columns[index].isFlexible && excess > 0 {
                    let given = min(excess, max(0, widths[index] - least))
                    widths[index] -= given
                    excess -= given
                }
            }
        }
        let title = columns.map { Cell(text: $0.title) }
        return ([title] + rows).map { row in line(row, widths, hasColour: hasColour) }
    }

    private func line(_ cells: [Cell], _ widths: [Int], hasColour: Bool) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let text = truncate(cell.text, to: widths[index])
            let padding = String(repeating: " ", count: max(0, widths[index] - displayWidth(text)))
            let styled = hasColour ? cell.style?.apply(to: text) ?? text : text
            line += index == 0 ? "" : "  "
            line += columns[index].alignment == .right ? padding + styled : styled + padding
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}

/// What a terminal can do to text; never the only sign of anything.
enum Style: Sendable {
    case good, bad, warning, dim, bold

    /// Of all sequences for a terminal, those that `apply` makes.
    static let codes = ["0", "1", "2", "31", "32", "33"]

    func apply(to text: String) -> String {
        let code =
            switch self {
            case .good: "32"
            case .bad: "31"
            case .warning: "33"
            case .dim: "2"
            case .bold: "1"
            }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }
}

/// How many columns of a terminal a text takes: two for East Asian wide characters and emoji.
func displayWidth(_ text: String) -> Int {
    text.reduce(0) { $0 + displayWidth($1) }
}

private func displayWidth(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: return 0
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD:
        return 2
    default:
        return scalar.properties.generalCategory == .nonspacingMark ? 0 : 1
    }
}

/// Cuts a text to `width` columns, with an ellipsis at its end.
func truncate(_ text: String, to width: Int) -> String {
    guard displayWidth(text) > width else { return text }
    var result = ""
    var used = 0
    for character in text {
        let next = displayWidth(character)
        guard used + next < width else { break }
        result.append(character)
        used += next
    }
    return result + "…"
}

/// The same for a line that may hold the colours of our own, which take no room.
func truncateStyled(_ line: String, to width: Int) -> String {
    guard line.contains("\u{1B}") else { return truncate(line, to: width) }
    guard displayWidth(unstyled(line)) > width else { return line }
    var result = ""
    var used = 0
    var isStyle = false
    var isFull = false
    for character in line {
        if character == "\u{1B}" { isStyle = true }
        if isStyle {
            result.append(character)
            if character == "m" { isStyle = false }
            continue
        }
        let next = displayWidth(character)
        guard !isFull else { continue }
        if used + next < width {
            result.append(character)
            used += next
        } else {
            result.append("…")
            isFull = true
        }
    }
    return result
}

/// Without the colours of our own.
func unstyled(_ line: String) -> String { line.replacing(/\u{1B}\[[0-9;]*m/, with: "") }

extension Console {
    /// A line as several that fit the terminal, broken between words; the later ones are set in as far as the first one's
    /// text begins behind its label.
    func wrapped(_ line: String) -> [String] {
        guard isOutputTerminal, displayWidth(unstyled(line)) > columns else { return [line] }
        let plain = unstyled(line)
        let label = plain.prefixMatch(of: /[ ]*[^ ]+[ ]{2,}/).map(\.output.count) ?? 0
        let lead = plain.prefix { $0 == " " }.count
        let indent = String(repeating: " ", count: label > 0 && label <= 12 ? label : lead + 2)
        var lines: [String] = []
        var current = ""
        var isFirst = true
        for word in line.split(separator: " ", omittingEmptySubsequences: false) {
            let width = displayWidth(unstyled(current)) + 1 + displayWidth(unstyled(String(word)))
            let isBlank = current.allSatisfy { $0 == " " }
            if !isFirst, width > columns, !isBlank, !word.isEmpty {
                while current.last == " " { current.removeLast() }
                lines.append(current)
                current = indent + word
            } else {
                current += (isFirst ? "" : " ") + word
            }
            isFirst = false
        }
        return lines + [current]
    }
}

/// A text of somebody's on one line, harmless to a terminal.
func oneLine(_ text: String) -> String { PlainText.oneLine(text) }
