/// The checksum of zip files (ISO 3309, polynomial 0xEDB88320).
struct CRC32 {
    private static let tables: [[UInt32]] = {
        var tables = [[UInt32]](repeating: [UInt32](repeating: 0, count: 256), count: 8)
        for index in 0..<256 {
            var value = UInt32(truncatingIfNeeded: index)
            for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
            tables[0][index] = value
        }
        for index in 0..<256 {
            for step in 1..<8 {
                let before = tables[step - 1][index]
                tables[step][index] = tables[0][Int(before & 0xFF)] ^ (before >> 8)
            }
        }
        return tables
    }()

    private var state: UInt32 = 0xFFFF_FFFF

    var value: UInt32 { state ^ 0xFFFF_FFFF }

    /// Eight bytes at a time.
    mutating func update(_ bytes: some Collection<UInt8>) {
        let tables = Self.tables
        var state = state
        let done: Void? = bytes.withContiguousStorageIfAvailable { buffer in
            let bytes = unsafe Span(_unsafeElements: buffer)
            var index = 0
            while index + 8 <= bytes.count {
                let low =
                    state
                    ^ (UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
                        | UInt32(bytes[index + 3]) << 24)
                state =
                    tables[7][Int(low & 0xFF)] ^ tables[6][Int(low >> 8 & 0xFF)] ^ tables[5][Int(low >> 16 & 0xFF)]
                    ^ tables[4][Int(low >> 24)] ^ tables[3][Int(bytes[index + 4])] ^ tables[2][Int(bytes[index + 5])]
                    ^ tables[1][Int(bytes[index + 6])] ^ tables[0][Int(bytes[index + 7])]
                index += 8
            }
            while index < bytes.count {
                state = tables[0][Int((state ^ UInt32(bytes[index])) & 0xFF)] ^ (state >> 8)
                index += 1
            }
        }
        if done == nil {
            for byte in bytes { state = tables[0][Int((state ^ UInt32(byte)) & 0xFF)] ^ (state >> 8) }
        }
        self.state = state
    }
}
