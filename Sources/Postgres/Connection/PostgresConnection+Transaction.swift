extension PostgresConnection {
    /// Runs `body` in a transaction, and commits it if it returns; if it throws, the transaction is rolled back.
    ///
    /// BEGIN goes with the first statement. If the answer to the COMMIT is lost, the outcome is found out on a new connection before
    /// this returns: a return means committed, and confirmed by the standbys that have to.
    ///
    /// - Throws: what `body` throws. `PostgresError` with `commit`, whose `outcome` says what became of it: `rolledBack`,
    ///   `committedLocally` or `unknown`. `CancellationError` if the task was cancelled before the COMMIT was sent.
    package func transaction<Value>(
        _ options: TransactionOptions = TransactionOptions(),
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        try await withTurn {
            let transaction = PostgresTransaction(self, options)
            do {
                let value = try await body(transaction)
                try await transaction.commit()
                return value
            } catch {
                // Nothing, if its end was reached.
                await transaction.rollBack()
                throw error
            }
        }
    }
}
