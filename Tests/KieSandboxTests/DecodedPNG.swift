import KieSandbox

/// A strict reader of what the sandbox writes: palette images, fixed Huffman codes, filters 0 and 2.
///
/// Written after the standards and not after the encoder, so that the two check each other.
struct DecodedPNG {
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    let width: Int
    let height: Int
    /// Places in the palette, row by row.
    let pixels: [UInt8]

    init(_ file: [UInt8]) throws {
        try Self.check(file.prefix(8) == [137, 80, 78, 71, 13, 10, 26, 10], "signature")
        var chunks: [(name: String, content: [UInt8])] = []
        var place = 8
        while place < file.count {
            let length = Self.number(file[place..<place + 4])
            let body = Array(file[place + 4..<place + 8 + length])
            let sum = Self.number(file[place + 8 + length..<place + 12 + length])
            try Self.check(Self.crc(body) == UInt32(sum), "CRC")
            chunks.append((String(decoding: body.prefix(4), as: UTF8.self), Array(body.dropFirst(4))))
            place += 12 + length
        }
        try Self.check(chunks.map(\.name) == ["IHDR", "PLTE", "IDAT", "IEND"], "chunks")
        let header = chunks[0].content
        try Self.check(header[8...] == [8, 3, 0, 0, 0], "header")
        width = Self.number(header[0..<4])
        height = Self.number(header[4..<8])
        let colors = chunks[1].content.count / 3
        var rows: [UInt8] = []
        let bytes = try Inflated(chunks[2].content).bytes
        try Self.check(bytes.count == height * (width + 1), "size")
        for row in 0..<height {
            let line = bytes[row * (width + 1)..<(row + 1) * (width + 1)]
            switch line.first {
            case 0: rows += line.dropFirst()
            case 2: rows += zip(line.dropFirst(), rows.suffix(width)).map { $0 &+ $1 }
            default: throw Malformed(description: "filter")
            }
        }
        try Self.check(rows.allSatisfy { $0 < colors }, "palette")
        pixels = rows
    }

    static func check(_ condition: Bool, _ what: String) throws {
        guard condition else { throw Malformed(description: what) }
    }

    static func number(_ bytes: some Sequence<UInt8>) -> Int {
        bytes.reduce(0) { $0 << 8 | Int($1) }
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(0xFFFF_FFFF as UInt32) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in
                value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
            }
        }
    }
}

/// The content of a zlib stream of one fixed block.
private struct Inflated {
    private(set) var bytes: [UInt8] = []
    private let stream: [UInt8]
    private var place = 0

    init(_ stream: [UInt8]) throws {
        self.stream = stream
        try DecodedPNG.check(stream[0] & 15 == 8 && DecodedPNG.number(stream[0..<2]) % 31 == 0, "zlib header")
        place = 16
        try DecodedPNG.check(bits(1) == 1 && bits(2) == 1, "block")
        while true {
            let symbol = symbol()
            if symbol == 256 { break }
            if symbol < 256 {
                bytes.append(UInt8(symbol))
                continue
            }
            let length = length(of: symbol)
            try DecodedPNG.check(code(5) == 0, "distance")
            let last = bytes[bytes.count - 1]
            bytes += Array(repeating: last, count: length)
        }
        place = (place + 7) / 8 * 8
        try DecodedPNG.check(place / 8 + 4 == stream.count, "trailer")
        var (low, high) = (1, 0)
        for byte in bytes {
            low = (low + Int(byte)) % 65_521
            high = (high + low) % 65_521
        }
        try DecodedPNG.check(DecodedPNG.number(stream.suffix(4)) == high << 16 | low, "Adler-32")
    }

    /// RFC 1951, 3.2.6.
    private mutating func symbol() -> Int {
        var code = code(7)
        if code < 0b001_1000 { return 256 + code }
        code = code << 1 | bits(1)
        if code < 0b1100_0000 { return code - 0b0011_0000 }
        if code < 0b1100_1000 { return 280 + code - 0b1100_0000 }
        return 144 + (code << 1 | bits(1)) - 0b1_1001_0000
    }

    /// RFC 1951, 3.2.5, in closed form.
    private mutating func length(of symbol: Int) -> Int {
        if symbol == 285 { return 258 }
        let step = symbol - 257
        guard step >= 8 else { return 3 + step }
        let extra = step / 4 - 1
        return 3 + ((4 + step % 4) << extra) + bits(extra)
    }

    private mutating func code(_ count: Int) -> Int {
        (0..<count).reduce(0) { code, _ in code << 1 | bits(1) }
    }

    private mutating func bits(_ count: Int) -> Int {
        (0..<count).reduce(0) { value, bit in
            defer { place += 1 }
            return value | Int(stream[place / 8] >> UInt8(place % 8) & 1) << bit
        }
    }
}
