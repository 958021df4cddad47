/// One name in a path below the media directory, made safe.
package enum PathPart {
    /// One less than promised: a name may get one more sign in front.
    private static let maximumBytes = 99
    /// Devices to Windows, whatever follows a dot.
    private static let reserved: Set<String> = Set(
        ["con", "prn", "aux", "nul"] + (1...9).flatMap { ["com\($0)", "lpt\($0)"] }
    )

    /// A name made safe for a path, for a shell and for other systems: no separators, controls or invisible signs, no
    /// dot or hyphen first, no dot or space last, no device of Windows, at most 100 bytes.
    ///
    /// Different names may become one: no file is overwritten by that.
    package static func safe(_ name: String) -> String { whole(plain(name, maximumBytes)) }

    /// The same of a name in which every sign is plain, and none is too many.
    static func whole(_ name: String) -> String {
        var safe = name
        // By scalars: a dot with an accent is another character to Swift, and begins with a dot to everybody else.
        if let first = safe.unicodeScalars.first, ".- ".unicodeScalars.contains(first) {
            safe = "_" + String(safe.unicodeScalars.dropFirst())
        }
        while let last = safe.unicodeScalars.last, ". ".unicodeScalars.contains(last) {
            safe.unicodeScalars.removeLast()
        }
        let stem = String(safe.unicodeScalars.prefix { $0 != "." }).lowercased()
        if reserved.contains(stem) { safe = "_" + safe }
        // Behind a slash a mark would be one character with it.
        if safe.unicodeScalars.first.map(isMark) ?? false { safe = "_" + safe }
        return safe.isEmpty ? "_" : safe
    }

    /// With `_` for every sign that is not plain; cut to `limit` bytes, never within a letter.
    static func plain(_ text: String, _ limit: Int) -> String {
        var plain = ""
        for scalar in text.unicodeScalars {
            let next = isPlain(scalar) ? String(scalar) : "_"
            if plain.utf8.count + next.utf8.count > limit { break }
            plain += next
        }
        return plain
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        [.nonspacingMark, .spacingMark].contains(scalar.properties.generalCategory)
    }

    static func isPlain(_ scalar: Unicode.Scalar) -> Bool { isWord(scalar) || "-_. ".unicodeScalars.contains(scalar) }

    /// Letters with their accents and vowel signs, and digits.
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark, .decimalNumber, .letterNumber, .otherNumber:
            true
        default: false
        }
    }
}
