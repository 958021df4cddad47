/// A statement's text. A literal, so that no value can get into it; values are parameters, `$1` and so on.
package struct SQL: Sendable, Hashable, ExpressibleByStringLiteral {
    package let text: String
    /// Whether it was put together at run time: then it is not kept prepared.
    let isPasted: Bool

    package init(stringLiteral value: StaticString) {
        text = value.description
        isPasted = false
    }

    /// For what cannot be a literal: a script from a file, a name by `SQL.quoted`. Whoever calls it answers for every character.
    package init(pasted text: String) {
        self.text = text
        isPasted = true
    }

    /// For one of a few texts that are put together once and used again and again: it is kept prepared, as a literal is. Whoever calls it
    /// answers for every character.
    package init(kept text: String) {
        self.text = text
        isPasted = false
    }

    /// A name (a table, a channel), as it can be pasted.
    ///
    /// - Throws: `PostgresError` with `unsendable` for a name with a NUL in it, or without a character.
    package static func quoted(_ name: String) throws(PostgresError) -> String {
        guard !name.isEmpty, !name.utf8.contains(0) else {
            throw PostgresError(.unsendable, "a name in SQL has at least one character, and none is NUL")
        }
        return "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
