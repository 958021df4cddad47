extension BlockingConnection {
    /// How many rows are in memory at a time.
    private static let portion = 1_000

    /// Gives the rows of a query to `body`, one after the other: a bounded number of them is in memory. All are of one instant.
    ///
    /// `body` may take as long as it likes and use this connection: outside of a transaction the server keeps the rows meanwhile, not a
    /// transaction, which would keep others from clearing up.
    ///
    /// - Throws: `PostgresError`; what `body` throws ends it.
    package func forEachRow(
        _ sql: SQL,
        _ parameters: [PostgresValue] = [],
        _ body: (PostgresRow) throws -> Void
    ) throws {
        try turn.take {
            turn.cursors += 1
            let name = "rows_\(turn.cursors)"
            let hold = turn.transaction == nil ? "WITH HOLD" : "WITHOUT HOLD"
            let fetch = SQL(pasted: "FETCH \(Self.portion) FROM \(name)")
            var rows = try pipeline {
                $0.add(SQL(pasted: "DECLARE \(name) NO SCROLL CURSOR \(hold) FOR \(sql.text)"), parameters)
                $0.add(fetch)
            }[1]
            do {
                while true {
                    for row in rows { try body(row) }
                    guard rows.count == Self.portion else { break }
                    rows = try query(fetch)
                }
            } catch {
                // In a transaction that has failed it is closed with that; on a connection that is lost it is gone.
                do { try closeCursor(name) } catch _ {}
                throw error
            }
            try closeCursor(name)
        }
    }

    private func closeCursor(_ name: String) throws {
        _ = try query(SQL(pasted: "CLOSE \(name)"))
    }
}
