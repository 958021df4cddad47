/// A statement and what is bound to it, ready to be sent.
struct Statement: Sendable {
    let sql: SQL
    let parameters: ParameterBuffer

    /// - Throws: `PostgresError` with `unsendable`.
    init(_ sql: SQL, _ values: [PostgresValue] = []) throws(PostgresError) {
        guard !sql.text.utf8.contains(0) else {
            throw PostgresError(.unsendable, "a statement has a NUL character in it")
        }
        self.sql = sql
        parameters = try ParameterBuffer(values)
    }

    /// What it takes on the wire, about.
    var size: Int { parameters.size + 64 }
}
