/// A row of a result.
package struct PostgresRow: Sendable {
    let result: ResultMemory
    let number: Int

    /// The value of a column, by its place from the left, which begins with 0.
    ///
    /// - Throws: `PostgresError` with `mismatch`: NULL where `Value` is not optional, another type, no such column or row.
    package subscript<Value: PostgresDecodable>(_ column: Int) -> Value {
        get throws(PostgresError) {
            guard number >= 0, number < result.rows, column >= 0, column < result.columns else {
                throw PostgresError(
                    .mismatch,
                    "there is no row \(number), column \(column) in \(result.rows) rows with \(result.columns) columns"
                )
            }
            return try Value.decode(PostgresCell(result: result, row: number, column: column))
        }
    }

    /// The value of a column, by its name: for rows that are few; in a long result the place is quicker.
    ///
    /// - Throws: `PostgresError` with `mismatch`, as by place.
    package subscript<Value: PostgresDecodable>(_ name: String) -> Value {
        get throws(PostgresError) {
            guard let column = (0..<result.columns).first(where: { result.name(of: $0) == name }) else {
                throw PostgresError(.mismatch, "there is no column \(name) in the result")
            }
            return try self[column]
        }
    }
}
