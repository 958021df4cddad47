/// Statements that are sent at once and answered in one round trip. What follows a failure is not carried out.
package struct PostgresPipeline: Sendable {
    private(set) var statements: [(SQL, [PostgresValue])] = []

    package init() {}

    package var isEmpty: Bool { statements.isEmpty }

    /// - Returns: the place of its rows in the results.
    @discardableResult
    package mutating func add(_ sql: SQL, _ parameters: [PostgresValue] = []) -> Int {
        statements.append((sql, parameters))
        return statements.count - 1
    }

    /// - Throws: `PostgresError` with `unsendable`.
    func bound() throws(PostgresError) -> [Statement] {
        var bound: [Statement] = []
        bound.reserveCapacity(statements.count)
        for (sql, parameters) in statements { bound.append(try Statement(sql, parameters)) }
        return bound
    }
}
