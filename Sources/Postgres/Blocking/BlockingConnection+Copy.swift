extension BlockingConnection {
    /// Streams rows into a table: as many wait in memory as one portion holds. All are kept, or none. `body` must not use the connection.
    ///
    /// - Parameter sql: `COPY table (columns) FROM STDIN`.
    /// - Returns: how many were copied.
    /// - Throws: `PostgresError`, or what `body` throws: then none was kept, and a transaction around it cannot go on.
    @discardableResult
    package func copyIn(_ sql: SQL, _ body: (BlockingCopyWriter) throws -> Void) throws -> Int {
        try turn.take {
            let session = connection.session
            try call { [turn] in
                try await turn.transaction?.begin()
                do {
                    try await session.beginCopy(sql.text, isInto: true)
                } catch {
                    await session.endFailedCopy()
                    throw error
                }
            }
            let writer = BlockingCopyWriter(self)
            do {
                try body(writer)
                try writer.send()
            } catch {
                // The server says that the copy failed, as it was told.
                try call {
                    do { _ = try await session.endCopyIn("the sender gave up") } catch { await session.endFailedCopy() }
                }
                throw error
            }
            return try call { try await session.endCopyIn(nil) }
        }
    }
}
