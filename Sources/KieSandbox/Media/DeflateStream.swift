/// A zlib stream of runs of equal bytes: one block with the fixed Huffman codes, every match at distance 1.
///
/// RFC 1950 (zlib, with its checksum Adler-32) and RFC 1951 (deflate).
struct DeflateStream {
    // The header: deflate with a 32 KiB window, the fastest kind.
    private var bytes: [UInt8] = [0x78, 0x01]
    private var pendingBits: UInt32 = 0
    private var pendingCount: UInt32 = 0
    private var sum: UInt64 = 1
    private var sumOfSums: UInt64 = 0

    init() {
        // The last block, with fixed codes.
        append(bits: 0b011, count: 3)
    }

    /// Appends `byte` so many times.
    mutating func append(_ byte: UInt8, count: Int) {
        guard count > 0 else { return }
        addToChecksum(byte, count: UInt64(count))
        append(Self.literals[Int(byte)])
        var rest = count - 1
        while rest >= 3 {
            let length = min(rest, 258)
            append(Self.matches[length - 3])
            rest -= length
        }
        for _ in 0..<rest { append(Self.literals[Int(byte)]) }
    }

    /// Ends the stream.
    consuming func finished() -> [UInt8] {
        // The end of the block is symbol 256, whose code is seven zeros.
        append(bits: 0, count: 7)
        if pendingCount > 0 { append(bits: 0, count: 8 - pendingCount) }
        return bytes + UInt32(sumOfSums << 16 | sum).bigEndianBytes
    }

    /// Adler-32 of a run in closed form.
    private mutating func addToChecksum(_ byte: UInt8, count: UInt64) {
        let modulus: UInt64 = 65_521
        let value = UInt64(byte)
        sumOfSums = (sumOfSums + count * sum + value * (count * (count + 1) / 2)) % modulus
        sum = (sum + count * value) % modulus
    }

    private mutating func append(_ code: Code) {
        append(bits: code.bits, count: code.count)
    }

    private mutating func append(bits: UInt32, count: UInt32) {
        pendingBits |= bits << pendingCount
        pendingCount += count
        while pendingCount >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pendingBits))
            pendingBits >>= 8
            pendingCount -= 8
        }
    }
}

/// Some bits of a deflate stream, the first one lowest.
private struct Code {
    var bits: UInt32
    var count: UInt32

    /// A Huffman code, which goes most significant bit first.
    init(huffman code: UInt32, count: UInt32) {
        bits = 0
        self.count = count
        for bit in 0..<count where code & (1 << bit) != 0 { bits |= 1 << (count - 1 - bit) }
    }

    /// This code, then some bits that are no Huffman code.
    func followed(by extra: UInt32, count extraCount: UInt32) -> Code {
        var code = self
        code.bits |= extra << count
        code.count += extraCount
        return code
    }
}

extension DeflateStream {
    /// The code of each byte.
    private static let literals: [Code] = (0..<256).map { byte in
        byte < 144 ? Code(huffman: 0x30 + byte, count: 8) : Code(huffman: 0x190 + byte - 144, count: 9)
    }

    /// The codes that repeat the byte before 3 to 258 times.
    private static let matches: [Code] = (3...258).map { length in
        let place = length == 258 ? 28 : (lengths.dropLast().lastIndex { $0 <= length } ?? 0)
        let symbol = 257 + UInt32(place)
        let code = symbol < 280 ? Code(huffman: symbol - 256, count: 7) : Code(huffman: 0xC0 + symbol - 280, count: 8)
        // The rest of the length, then the code of distance 1: five zeros.
        return code.followed(by: UInt32(length - lengths[place]), count: extraBits[place]).followed(by: 0, count: 5)
    }

    /// The shortest match of each length symbol from 257 on, and the bits that tell how much longer it is.
    private static let lengths = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    private static let extraBits: [UInt32] = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
}

/// The checksum of a PNG chunk.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 0 ? crc >> 1 : 0xEDB8_8320 ^ (crc >> 1) }
    }

    static func checksum(of bytes: [UInt8]) -> UInt32 {
        let table = table
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes { crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ (crc >> 8) }
        return ~crc
    }
}
