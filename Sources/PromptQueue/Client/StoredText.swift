/// Texts on their way into the database.
///
/// They are handed to SQLite as C strings, which end at the first NUL: of `a\0b` only `a` would be stored, looked for, and paid
/// for, and the schema's own rules would never see the rest. PostgreSQL takes none with a NUL at all.
package enum StoredText {
    package static func holdsNUL(_ text: String?) -> Bool { text?.utf8.contains(0) ?? false }

    /// - Throws: `LedgerError` for a text that would be cut short.
    package static func check(_ text: String?, _ column: String) throws(LedgerError) {
        guard !holdsNUL(text) else { throw LedgerError(.constraint, "\(column): holds a NUL character") }
    }
}

extension NewJob {
    /// - Throws: `LedgerError` for a text that would be cut short.
    package func checkTexts() throws(LedgerError) {
        let texts: [(String, String?)] = [
            ("prompt", prompt), ("model", model), ("input", input), ("queue", queue), ("unique_key", uniqueKey),
            ("batch", batch), ("labels", labels),
        ]
        for (column, text) in texts { try StoredText.check(text, "jobs.\(column)") }
    }
}

extension JobFilter {
    /// Whether it asks for a text that no row can have.
    package var isImpossible: Bool {
        [queue, batch, model, errorCode, uniqueKey].contains(where: StoredText.holdsNUL)
            || words.contains(where: StoredText.holdsNUL)
            || labels.contains { StoredText.holdsNUL($0.key) || StoredText.holdsNUL($0.value) }
    }
}
