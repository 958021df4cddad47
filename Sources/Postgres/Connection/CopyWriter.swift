/// Takes the rows of a COPY FROM STDIN, and sends them in portions.
package final class CopyWriter {
    private static let portion = 128 * 1_024

    private let session: PostgresSession
    private var buffer: [UInt8] = []

    init(_ session: PostgresSession) { self.session = session }

    /// A row in COPY's text format: one value for each column that the statement names.
    ///
    /// - Throws: `PostgresError`; `CancellationError`.
    package func write(_ row: [PostgresValue]) async throws {
        for (index, value) in row.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: "\t")) }
            try CopyText.append(value, number: index + 1, to: &buffer)
        }
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.portion { try await send() }
    }

    /// Bytes as COPY takes them: whole rows or parts of rows, in the format that the statement names.
    ///
    /// - Throws: `PostgresError`; `CancellationError`.
    package func write(raw bytes: some Sequence<UInt8>) async throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.portion { try await send() }
    }

    func send() async throws {
        try Task.checkCancellation()
        guard !buffer.isEmpty else { return }
        let portion = buffer
        buffer.removeAll(keepingCapacity: true)
        try await session.copy(portion)
    }
}
