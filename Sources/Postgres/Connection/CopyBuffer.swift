/// Rows of a COPY that are not sent yet.
struct CopyBuffer {
    private static let portion = 128 * 1_024

    private var bytes: [UInt8] = []

    /// Whether there is enough to be sent.
    var isFull: Bool { bytes.count >= Self.portion }

    /// - Throws: `PostgresError` with `unsendable`.
    mutating func append(_ row: [PostgresValue]) throws(PostgresError) {
        for (index, value) in row.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "\t")) }
            try CopyText.append(value, number: index + 1, to: &bytes)
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func append(raw more: some Sequence<UInt8>) {
        bytes.append(contentsOf: more)
    }

    /// - Returns: what was not sent; nil if there is nothing.
    mutating func take() -> [UInt8]? {
        guard !bytes.isEmpty else { return nil }
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }
}
