/// What prompts are searched for: words, of which each must be the beginning of a word of the prompt. Neither capitals nor accents
/// count. In scripts without spaces each sign is a word.
///
/// This is the whole rule: an index of words holds what `folded` makes of a prompt, and gives what `match` says.
package struct PromptWords: Sendable, Equatable {
    /// So many are looked for at most.
    package static let limit = 50

    /// Folded, each once.
    package let words: [String]

    /// - Parameter texts: as somebody wrote them; what is between letters and digits separates words.
    package init(_ texts: [String]) { self.init(folded: Self.folded(texts.joined(separator: " "))) }

    /// - Parameter text: words as `text` has them.
    package init(folded text: String) {
        words = text.split(separator: " ").prefix(Self.limit).map(String.init)
    }

    /// The words, separated by spaces.
    package var text: String { words.joined(separator: " ") }

    /// Whether a prompt has them all. Without any word it has not.
    package func match(_ prompt: String) -> Bool {
        guard !words.isEmpty else { return false }
        let bytes = Self.bytes(prompt)
        return words.allSatisfy { Self.isBeginning(Array($0.utf8), in: bytes) }
    }

    /// The words of a prompt, each once, separated by spaces: letters and digits of ASCII in lower case, and letters of other
    /// scripts.
    package static func folded(_ prompt: String) -> String {
        var seen: Set<Substring> = []
        let all = String(decoding: bytes(prompt), as: UTF8.self)
        return all.split(separator: " ").filter { seen.insert($0).inserted }.joined(separator: " ")
    }

    /// Whether one of the words, before each of which is a space, begins so.
    private static func isBeginning(_ word: [UInt8], in bytes: [UInt8]) -> Bool {
        let space = UInt8(ascii: " ")
        var index = 0
        while index + word.count < bytes.count {
            if bytes[index] == space {
                var offset = 0
                while offset < word.count, bytes[index + 1 + offset] == word[offset] { offset += 1 }
                if offset == word.count { return true }
            }
            index += 1
        }
        return false
    }

    /// A space and a word, and so on.
    private static func bytes(_ text: String) -> [UInt8] {
        var folding = Folding()
        folding.bytes.reserveCapacity(text.utf8.count + 16)
        for scalar in text.unicodeScalars { folding.add(scalar) }
        return folding.bytes
    }

    private struct Folding {
        var bytes: [UInt8] = []
        private var isInWord = false

        mutating func add(_ scalar: Unicode.Scalar) {
            let value = scalar.value
            guard value >= 0x80 else {
                let byte = UInt8(truncatingIfNeeded: value)
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): append(byte)
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): append(byte | 0x20)
                default: isInWord = false
                }
                return
            }
            switch Kind(scalar) {
            case .separator: isInWord = false
            case .unseen: break
            case .letter: addLetter(scalar)
            case .sign:
                isInWord = false
                addLetter(scalar)
                isInWord = false
            }
        }

        private mutating func addLetter(_ scalar: Unicode.Scalar) {
            for lower in scalar.properties.lowercaseMapping.unicodeScalars where Kind(lower) != .unseen {
                for byte in String(BareLetters.bare(lower)).utf8 { append(byte) }
            }
        }

        private mutating func append(_ byte: UInt8) {
            if !isInWord { bytes.append(UInt8(ascii: " ")) }
            isInWord = true
            bytes.append(byte)
        }
    }

    private enum Kind {
        case letter, sign, separator
        /// An accent, or what joins or divides without a trace.
        case unseen

        init(_ scalar: Unicode.Scalar) {
            switch scalar.value {
            case 0x0300...0x036F, 0x1AB0...0x1AFF, 0x1DC0...0x1DFF, 0x20D0...0x20FF, 0xFE00...0xFE2F, 0xAD,
                0x200B...0x200D, 0x2060:
                self = .unseen
            case 0x3040...0x309F, 0x30A1...0x30FA, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF,
                0x20000...0x3FFFF:
                self = .sign
            default:
                switch scalar.properties.generalCategory {
                case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
                    .decimalNumber,
                    .letterNumber, .otherNumber, .nonspacingMark, .spacingMark, .enclosingMark, .privateUse:
                    self = .letter
                default: self = .separator
                }
            }
        }
    }
}
