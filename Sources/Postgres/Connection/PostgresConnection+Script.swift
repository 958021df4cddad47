extension PostgresConnection {
    /// Carries out a script of several statements, such as a migration. It is one transaction, unless it has a BEGIN of its own.
    ///
    /// - Throws: `PostgresError`; `CancellationError`.
    package func script(_ sql: SQL) async throws {
        try await withTurn { try await run(script: sql) }
        guard await session.transactionState == .none else {
            await session.rollBack()
            throw PostgresError(.misuse, "a script left its transaction open; nothing of it was kept")
        }
    }

    func run(script sql: SQL) async throws {
        guard !sql.text.utf8.contains(0) else { throw PostgresError(.unsendable, "a script has a NUL character in it") }
        try await cancellably { try await self.session.runScript(sql.text) }
    }
}

extension PostgresTransaction {
    /// Carries out a script of several statements within this transaction, which it must not end.
    ///
    /// - Throws: `PostgresError`; `CancellationError`.
    package func script(_ sql: SQL) async throws {
        try await begin()
        try await connection.run(script: sql)
        guard await connection.session.transactionState == .open else {
            throw PostgresError(.misuse, "a script ended the transaction that it ran in")
        }
    }
}
