/// Takes the rows of a COPY FROM STDIN, and sends them in portions.
package final class BlockingCopyWriter {
    private let connection: BlockingConnection
    private var buffer = CopyBuffer()

    init(_ connection: BlockingConnection) { self.connection = connection }

    /// A row in COPY's text format: one value for each column that the statement names.
    ///
    /// - Throws: `PostgresError`.
    package func write(_ row: [PostgresValue]) throws {
        try buffer.append(row)
        if buffer.isFull { try send() }
    }

    /// Bytes as COPY takes them: whole rows or parts of rows, in the format that the statement names.
    ///
    /// - Throws: `PostgresError`.
    package func write(raw bytes: some Sequence<UInt8>) throws {
        buffer.append(raw: bytes)
        if buffer.isFull { try send() }
    }

    func send() throws {
        guard let portion = buffer.take() else { return }
        let session = connection.connection.session
        try connection.call { try await session.copy(portion) }
    }
}
