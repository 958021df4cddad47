/// A value of a result, in the server's text.
package struct PostgresCell: Sendable {
    let result: ResultMemory
    let row: Int
    let column: Int

    package var isNull: Bool { result.isNull(row, column) }
    var type: UInt32 { result.type(of: column) }

    /// Its bytes, for the time of `body`.
    func withBytes<Value, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try unsafe body(result.bytes(row, column))
    }

    /// - Throws: `PostgresError` with `mismatch` if it is NULL.
    func present() throws(PostgresError) {
        if isNull {
            throw PostgresError(.mismatch, "column \(result.name(of: column)) is NULL, and a value was expected")
        }
    }

    /// Without the value itself, which may be anything.
    func mismatch(_ expected: String) -> PostgresError {
        PostgresError(
            .mismatch,
            "column \(result.name(of: column)) of type \(type) (see pg_type) holds no \(expected)"
        )
    }
}
