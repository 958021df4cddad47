import FoundationEssentials
import GRDB
import PromptQueue

/// Reads a table's rows as they travel, some at a time, so that nothing grows with the table.
struct TableReader {
    private static let rowsAtOnce = 2_000
    private static let bytesAtOnce = 1_024 * 1_024

    private let form: TableForm
    private var last: [DatabaseValue] = []
    private var isAtEnd = false

    init(_ table: MovedTable) { form = TableForm(table) }

    /// - Returns: nil at the end.
    mutating func next(_ db: Database) throws -> MovedRows? {
        guard !isAtEnd else { return nil }
        let sql = form.reading(isFirst: last.isEmpty, limit: Self.rowsAtOnce)
        let cursor = try Row.fetchCursor(
            db.cachedStatement(sql: sql),
            arguments: StatementArguments(last)
        )
        var rows = MovedRows(bytes: [], count: 0)
        rows.bytes.reserveCapacity(Self.bytesAtOnce / 4)
        while rows.bytes.count < Self.bytesAtOnce, let row = try cursor.next() {
            try row.withUnsafeData(atIndex: 0) { line in
                guard let line else { throw LedgerError(.unusable, "\(form.table.name): a row cannot be read") }
                rows.bytes.append(contentsOf: line)
            }
            rows.count += 1
            if rows.count == Self.rowsAtOnce || rows.bytes.count >= Self.bytesAtOnce {
                last = form.table.key.indices.map { row[$0 + 1] }
            }
        }
        guard rows.count == Self.rowsAtOnce || rows.bytes.count >= Self.bytesAtOnce else {
            isAtEnd = true
            return rows.count > 0 ? rows : nil
        }
        return rows
    }
}
