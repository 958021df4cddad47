/// Takes the rows of a COPY FROM STDIN, and sends them in portions.
package final class CopyWriter {
    private let session: PostgresSession
    private var buffer = CopyBuffer()

    init(_ session: PostgresSession) { self.session = session }

    /// A row in COPY's text format: one value for each column that the statement names.
    ///
    /// - Throws: `PostgresError`; `CancellationError`.
    package func write(_ row: [PostgresValue]) async throws {
        try buffer.append(row)
        if buffer.isFull { try await send() }
    }

    /// Bytes as COPY takes them: whole rows or parts of rows, in the format that the statement names.
    ///
    /// - Throws: `PostgresError`; `CancellationError`.
    package func write(raw bytes: some Sequence<UInt8>) async throws {
        buffer.append(raw: bytes)
        if buffer.isFull { try await send() }
    }

    func send() async throws {
        try Task.checkCancellation()
        guard let portion = buffer.take() else { return }
        try await session.copy(portion)
    }
}
