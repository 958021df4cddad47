/// The folder of a batch or queue below the media directory.
package enum FolderName {
    /// One less than promised: a name may get one more sign in front.
    private static let maximumBytes = 99
    /// Devices to Windows, whatever follows a dot.
    private static let reserved: Set<String> = Set(
        ["con", "prn", "aux", "nul"] + (1...9).flatMap { ["com\($0)", "lpt\($0)"] }
    )

    /// A name made safe for a path, for a shell and for other systems: no separators, controls or invisible signs, no
    /// dot or hyphen first, no dot or space last, no device of Windows, at most 100 bytes.
    ///
    /// Different names may become one: that is harmless, because files are named after their jobs.
    package static func safe(_ name: String) -> String {
        var safe = ""
        for scalar in name.unicodeScalars {
            let next = isPlain(scalar) ? String(scalar) : "_"
            if safe.utf8.count + next.utf8.count > maximumBytes { break }
            safe += next
        }
        if let first = safe.first, ".- ".contains(first) { safe = "_" + safe.dropFirst() }
        while let last = safe.last, ". ".contains(last) { safe.removeLast() }
        let stem = safe.prefix { $0 != "." }.lowercased()
        if reserved.contains(stem) { safe = "_" + safe }
        return safe.isEmpty ? "_" : safe
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        // Letters with their accents and vowel signs, and digits.
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark, .decimalNumber, .letterNumber, .otherNumber:
            true
        default: "-_. ".unicodeScalars.contains(scalar)
        }
    }
}
