/// Texts of others, cut to what the ledger keeps.
package enum BoundedText {
    /// For people: at most 2,000 bytes on whatever lines, without NUL.
    ///
    /// It counts bytes and not characters, of which a single one can hold megabytes.
    package static func message(_ text: String) -> String {
        cut(text, 2_000)
    }

    /// A word or a name: at most 200 bytes, without NUL.
    package static func word(_ text: String) -> String {
        cut(text, 200)
    }

    /// What the provider gave and promptd did not understand: at most 1 MiB, without NUL.
    package static func document(_ text: String) -> String {
        cut(text, 1 << 20)
    }

    private static func cut(_ text: String, _ bytes: Int) -> String {
        if text.utf8.count <= bytes, !text.utf8.contains(0) { return text }
        var scalars = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars where scalar.value != 0 {
            count += UTF8.width(scalar)
            guard count <= bytes - 3 else {
                scalars.append("…")
                break
            }
            scalars.append(scalar)
        }
        return String(scalars)
    }
}
