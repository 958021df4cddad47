extension BlockingConnection {
    /// Runs `body` in a transaction, and commits it if it returns; if it throws, all that it did is undone. Within another transaction it is
    /// a part of that one, which is undone alone.
    ///
    /// BEGIN goes with the first statement. If the answer to the COMMIT is lost, the outcome is found out on a new connection before this
    /// returns, as by `PostgresConnection.transaction`.
    ///
    /// - Parameters:
    ///   - options: of the outermost transaction.
    ///   - keeps: whether what `body` did is kept when it returns: with false, it only finds out what would happen.
    /// - Throws: what `body` throws. `PostgresError` with `commit`, whose `outcome` says what became of it.
    package func transaction<Value>(
        _ options: TransactionOptions = TransactionOptions(),
        keeps: Bool = true,
        _ body: () throws -> Value
    ) throws -> Value {
        try turn.take {
            if let outer = turn.transaction { return try part(of: outer, keeps: keeps, body) }
            var options = options
            options.isReadOnly = options.isReadOnly || isReadOnly
            let transaction = PostgresTransaction(connection, options)
            turn.transaction = transaction
            defer { turn.transaction = nil }
            do {
                let value = try body()
                try call { if keeps { try await transaction.commit() } else { await transaction.rollBack() } }
                return value
            } catch {
                // Nothing, if its end was reached.
                try call { await transaction.rollBack() }
                throw error
            }
        }
    }

    private func part<Value>(
        of transaction: PostgresTransaction,
        keeps: Bool,
        _ body: () throws -> Value
    ) throws -> Value {
        turn.depth += 1
        defer { turn.depth -= 1 }
        let name = "part_\(turn.depth)"
        func undo() throws {
            _ = try pipeline {
                $0.add(SQL(pasted: "ROLLBACK TO SAVEPOINT \(name)"))
                $0.add(SQL(pasted: "RELEASE SAVEPOINT \(name)"))
            }
        }
        _ = try query(SQL(pasted: "SAVEPOINT \(name)"))
        do {
            let value = try body()
            if keeps { _ = try query(SQL(pasted: "RELEASE SAVEPOINT \(name)")) } else { try undo() }
            return value
        } catch {
            // What cannot be undone alone leaves the whole transaction failed, which its COMMIT tells: the first error says more.
            do { try undo() } catch _ {}
            throw error
        }
    }
}
