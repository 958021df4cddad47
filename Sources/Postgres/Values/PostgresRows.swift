import CPostgres

/// What a statement returned: its rows, and how many rows it touched.
package struct PostgresRows: Sendable, RandomAccessCollection {
    let result: ResultMemory
    package let count: Int

    init(_ result: ResultMemory) {
        self.result = result
        count = result.rows
    }

    /// Rows that were inserted, updated, deleted, selected or copied.
    package var affected: Int { result.affected }
    /// The columns' names, from the left.
    package var columns: [String] { (0..<result.columns).map { result.name(of: $0) } }

    package var startIndex: Int { 0 }
    package var endIndex: Int { count }
    package subscript(position: Int) -> PostgresRow { PostgresRow(result: result, number: position) }

    /// The one row.
    ///
    /// - Throws: `PostgresError` with `mismatch` if there is none, or more than one.
    package func only() throws(PostgresError) -> PostgresRow {
        guard count == 1 else { throw PostgresError(.mismatch, "one row was expected, and there are \(count)") }
        return self[0]
    }
}
