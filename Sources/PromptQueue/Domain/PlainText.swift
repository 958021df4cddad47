/// Texts of others, made harmless for a terminal, a log line or a label: what is shown is what is there, in the order in
/// which it is there.
///
/// It goes by Unicode scalars. By characters a quotation mark with an accent over it is no quotation mark, a carriage
/// return before a line feed is no line feed, and one character can hold megabytes.
package enum PlainText {
    /// Whether a scalar does something to the text around it instead of being seen: control characters, which terminals
    /// obey; separators of lines; what turns the direction of reading (Unicode TR 36, section 3.1; CVE-2021-42574); and
    /// tags, which nobody sees.
    package static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: true
        case 0x61C, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        case 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE0FFF: true
        default: false
        }
    }

    /// A text on one line: what is harmful becomes a space.
    package static func oneLine(_ text: String) -> String { cleaned(text) { _ in false } }

    /// A text that may have lines and tabs of its own.
    package static func lines(_ text: String) -> String { cleaned(text) { $0 == "\n" || $0 == "\t" } }

    private static func cleaned(_ text: String, keeping isKept: (Unicode.Scalar) -> Bool) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
        var result = String.UnicodeScalarView()
        var marks = 0
        for scalar in text.unicodeScalars {
            marks = isMark(scalar) ? marks + 1 : 0
            guard marks <= mostMarks else { continue }
            result.append(isHarmful(scalar) && !isKept(scalar) ? " " : scalar)
        }
        return String(result)
    }

    /// No writing puts more of them on one letter; thousands of them cover the lines around.
    private static let mostMarks = 8

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x300 else { return false }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return true
        default: return false
        }
    }

    /// What is harmful as `\u{1b}`: different names stay different, and can be told apart.
    package static func escaped(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if isHarmful(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// JSON in which what is harmful is escaped as JSON does it. In JSON text such scalars stand within strings only.
    static func escapedJSON(_ json: String) -> String {
        if json.utf8.allSatisfy({ $0 < 0x7F }) { return json }
        var result = ""
        for scalar in json.unicodeScalars {
            // White space between the values is none of a string's.
            if isHarmful(scalar), scalar != "\n" {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
