/// Some rows of a table on their way: lines as PostgreSQL's COPY writes them ("Text format"), which both stores can write and read byte for
/// byte. A column is separated from the next by a tab, NULL is `\N`, and what would be taken for either is escaped.
package struct MovedRows: Sendable {
    /// Whole lines, each with its end.
    package var bytes: [UInt8]
    package var count: Int
    /// What these rows hold that is no text anywhere else.
    package var repairs: [TextRepair]

    package init(bytes: [UInt8], count: Int, repairs: [TextRepair] = []) {
        self.bytes = bytes
        self.count = count
        self.repairs = repairs
    }
}

/// A text that SQLite keeps and PostgreSQL does not take: with a NUL, or not UTF-8. U+FFFD stands in its place, and what it was is kept
/// beside it.
package struct TextRepair: Sendable, Hashable {
    package let table: String
    /// The row's key, as it travels.
    package let row: String
    package let column: String
    package let original: [UInt8]

    package init(table: String, row: String, column: String, original: [UInt8]) {
        self.table = table
        self.row = row
        self.column = column
        self.original = original
    }
}

/// A table that has been carried over whole.
package struct MovedPart: Sendable, Hashable {
    package let count: Int
    /// SHA-256 over its lines, in their order.
    package let digest: String

    package init(count: Int, digest: String) {
        self.count = count
        self.digest = digest
    }
}
