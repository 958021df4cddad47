import CPostgres

/// A statement's parameters as libpq takes them: one after the other in one buffer.
struct ParameterBuffer {
    /// What a statement of the protocol can have.
    static let most = 65_535
    /// `bytea`, the one type that is said: its values travel as they are.
    private static let byteaType: Oid = 17

    private var bytes: [UInt8] = []
    private var starts: [Int?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []
    private var types: [Oid] = []

    /// - Throws: `PostgresError` with `unsendable`, which names the parameter.
    init(_ values: [PostgresValue]) throws(PostgresError) {
        guard values.count <= Self.most else {
            throw PostgresError(
                .unsendable,
                "a statement has at most \(Self.most) parameters, not \(values.count): pass arrays, and unnest them"
            )
        }
        for (index, value) in values.enumerated() {
            starts.append(value == .null ? nil : bytes.count)
            let start = bytes.count
            try ValueText.append(value, number: index + 1, to: &bytes)
            let isBinary = if case .bytes = value { true } else { false }
            formats.append(isBinary ? 1 : 0)
            types.append(isBinary ? Self.byteaType : 0)
            guard let length = Int32(exactly: bytes.count - start) else {
                throw PostgresError(.unsendable, "parameter $\(index + 1) has more than 2 GB")
            }
            lengths.append(length)
            bytes.append(0)
        }
    }

    var count: Int { starts.count }
    /// Whether one of them travels as it is.
    var hasBytes: Bool { types.contains(Self.byteaType) }
    /// Which of them do: `b` for each that does, `t` for the others.
    var shape: String { String(types.map { $0 == 0 ? "t" : "b" }) }
    /// What it takes on the wire, about.
    var size: Int { bytes.count + 16 * count }

    /// Lends the pointers that libpq asks for, for the time of `body`.
    func withPointers<Result>(
        _ body: (
            _ count: Int32, _ types: UnsafePointer<Oid>?, _ values: UnsafePointer<UnsafePointer<CChar>?>?,
            _ lengths: UnsafePointer<Int32>?, _ formats: UnsafePointer<Int32>?
        ) -> Result
    ) -> Result {
        unsafe bytes.withUnsafeBytes { raw in
            let base = unsafe raw.bindMemory(to: CChar.self).baseAddress
            let values = unsafe starts.map { start -> UnsafePointer<CChar>? in
                guard let start, let base = unsafe base else { return nil }
                return unsafe base + start
            }
            return unsafe values.withUnsafeBufferPointer { values in
                unsafe types.withUnsafeBufferPointer { types in
                    unsafe lengths.withUnsafeBufferPointer { lengths in
                        unsafe formats.withUnsafeBufferPointer { formats in
                            unsafe body(
                                Int32(truncatingIfNeeded: count),
                                types.baseAddress,
                                values.baseAddress,
                                lengths.baseAddress,
                                formats.baseAddress
                            )
                        }
                    }
                }
            }
        }
    }
}
