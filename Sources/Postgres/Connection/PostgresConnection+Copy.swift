extension PostgresConnection {
    /// Streams rows into a table: as many wait in memory as one portion holds. All are kept, or none.
    ///
    /// - Parameter sql: `COPY table (columns) FROM STDIN`.
    /// - Returns: how many were copied.
    /// - Throws: `PostgresError`, what `body` throws, or `CancellationError`: then none was kept.
    @discardableResult
    package func copyIn(_ sql: SQL, _ body: (CopyWriter) async throws -> Void) async throws -> Int {
        try await withTurn { try await runCopyIn(sql, body) }
    }

    /// Streams rows out of a table or a query; `body` gets some whole rows at a time, in the statement's format.
    ///
    /// - Parameter sql: `COPY table TO STDOUT`, or `COPY (SELECT …) TO STDOUT`.
    /// - Returns: how many were copied.
    /// - Throws: `PostgresError`, what `body` throws, or `CancellationError`.
    @discardableResult
    package func copyOut(_ sql: SQL, _ body: ([UInt8]) async throws -> Void) async throws -> Int {
        try await withTurn { try await runCopyOut(sql, body) }
    }

    func runCopyIn(_ sql: SQL, _ body: (CopyWriter) async throws -> Void) async throws -> Int {
        try await cancellably {
            do throws(PostgresError) {
                try await self.session.beginCopy(sql.text, isInto: true)
            } catch {
                await self.session.endFailedCopy()
                throw error
            }
            let writer = CopyWriter(self.session)
            do {
                try await body(writer)
                try await writer.send()
            } catch {
                // The server says that the copy failed, as it was told.
                do { _ = try await self.session.endCopyIn("the sender gave up") } catch {
                    await self.session.endFailedCopy()
                }
                throw error
            }
            return try await self.session.endCopyIn(nil)
        }
    }

    func runCopyOut(_ sql: SQL, _ body: ([UInt8]) async throws -> Void) async throws -> Int {
        let portion = 64 * 1_024
        let cancellation = Cancellation(session)
        do {
            return try await cancellably {
                do throws(PostgresError) {
                    try await self.session.beginCopy(sql.text, isInto: false)
                } catch {
                    await self.session.endFailedCopy()
                    throw error
                }
                do {
                    while let rows = try await self.session.copiedRows(portion) { try await body(rows) }
                } catch {
                    cancellation.request()
                    // The rest is dropped until the server has stopped.
                    do {
                        while try await self.session.copiedRows(portion) != nil {}
                        _ = try await self.session.endCopyOut()
                    } catch { await self.session.endFailedCopy() }
                    throw error
                }
                return try await self.session.endCopyOut()
            }
        } catch {
            await cancellation.settle()
            throw error
        }
    }
}

extension PostgresTransaction {
    /// As `PostgresConnection.copyIn`, within this transaction.
    ///
    /// - Throws: as there. Then the transaction cannot go on.
    @discardableResult
    package func copyIn(_ sql: SQL, _ body: (CopyWriter) async throws -> Void) async throws -> Int {
        try await begin()
        return try await connection.runCopyIn(sql, body)
    }

    /// As `PostgresConnection.copyOut`, within this transaction.
    ///
    /// - Throws: as there. Then the transaction cannot go on.
    @discardableResult
    package func copyOut(_ sql: SQL, _ body: ([UInt8]) async throws -> Void) async throws -> Int {
        try await begin()
        return try await connection.runCopyOut(sql, body)
    }
}
