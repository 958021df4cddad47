/// A second of film that stands in for a generated one: ten uncompressed frames of 96 by 54 pixels.
package struct AVI: Sendable {
    private static let width = 96
    private static let height = 54
    private static let frameCount = 10

    private let seed: UInt64

    package init(seed: UInt64) {
        self.seed = seed
    }

    /// The file's bytes.
    package func encoded() -> [UInt8] {
        let frames = (0..<Self.frameCount).map { Self.chunk("00db", frame($0)) }
        let header = Self.list("hdrl", Self.chunk("avih", mainHeader) + stream)
        return Self.chunk("RIFF", Array("AVI ".utf8) + header + Self.list("movi", frames.flatMap(\.self)))
    }

    private static var frameSize: Int { width * height * 3 }

    private var mainHeader: [UInt8] {
        let fields = [
            100_000, Self.frameSize * Self.frameCount, 0, 0, Self.frameCount, 0, 1, Self.frameSize, Self.width,
            Self.height, 0, 0, 0, 0,
        ]
        return fields.flatMap { UInt32($0).littleEndianBytes }
    }

    private var stream: [UInt8] {
        var header = Array("vidsDIB ".utf8)
        for field in [0, 0, 0, 1, Self.frameCount, 0, Self.frameCount, Self.frameSize, 0, 0] {
            header += UInt32(field).littleEndianBytes
        }
        for edge in [0, 0, Self.width, Self.height] { header += UInt16(edge).littleEndianBytes }
        var format: [UInt8] = []
        for field in [40, Self.width, Self.height] { format += UInt32(field).littleEndianBytes }
        format += UInt16(1).littleEndianBytes + UInt16(24).littleEndianBytes
        for field in [0, Self.frameSize, 0, 0, 0, 0] { format += UInt32(field).littleEndianBytes }
        return Self.list("strl", Self.chunk("strh", header) + Self.chunk("strf", format))
    }

    /// Slanted stripes that move on from frame to frame; blue, green and red for each pixel.
    private func frame(_ number: Int) -> [UInt8] {
        let colors: [[UInt8]] = [seed.littleEndianBytes, (~seed).littleEndianBytes].map { Array($0.prefix(3)) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.frameSize)
        for row in 0..<Self.height {
            for column in 0..<Self.width { bytes += colors[(row + column + 2 * number) / 10 % 2] }
        }
        return bytes
    }

    private static func list(_ name: String, _ content: [UInt8]) -> [UInt8] {
        chunk("LIST", Array(name.utf8) + content)
    }

    private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        Array(name.utf8) + UInt32(content.count).littleEndianBytes + content
    }
}
