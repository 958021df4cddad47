import Glibc
import NIOCore

@testable import PromptWeb

/// Pictures in the format PNG, made here.
enum TestPicture {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// A whole one, of stripes.
    static func png(width: Int, height: Int) -> [UInt8] {
        var rows: [UInt8] = []
        for y in 0..<height {
            rows.append(0)
            for x in 0..<width { rows += [UInt8(x & 255), UInt8(y & 255), UInt8((x ^ y) & 255)] }
        }
        return signature + header(width: width, height: height) + chunk("IDAT", zlib(rows)) + chunk("IEND", [])
    }

    /// One that says it is huge, and ends.
    static func claim(width: Int, height: Int, isInterlaced: Bool) -> [UInt8] {
        signature + header(width: width, height: height, isInterlaced: isInterlaced)
            + chunk("IDAT", zlib([UInt8](repeating: 0, count: 100_000))) + chunk("IEND", [])
    }

    private static func header(width: Int, height: Int, isInterlaced: Bool = false) -> [UInt8] {
        chunk("IHDR", number(UInt32(width)) + number(UInt32(height)) + [8, 2, 0, 0, isInterlaced ? 1 : 0])
    }

    private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        var checksum = CRC32()
        checksum.update(Array(type.utf8) + data)
        return number(UInt32(data.count)) + Array(type.utf8) + data + number(checksum.value)
    }

    private static func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 255) } }

    /// Stored, not compressed (RFC 1950, RFC 1951).
    private static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var index = 0
        while index < bytes.count {
            let end = min(index + 65_535, bytes.count)
            let count = UInt16(end - index)
            stream.append(end == bytes.count ? 1 : 0)
            stream += [UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8)]
            stream += bytes[index..<end]
            index = end
        }
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return stream + number(high << 16 | low)
    }

    /// What a maker makes: the frame of a picture, and nothing in it.
    static let webp: ByteBuffer = {
        var buffer = ByteBuffer(string: "RIFF")
        buffer.writeInteger(UInt32(12), endianness: .little)
        buffer.writeString("WEBPVP8 1234")
        return buffer
    }()

    /// The first and the last marker of one in the format JPEG.
    static let jpeg = ByteBuffer(bytes: [0xFF, 0xD8, 0xFF, 0xD9])
}
