import NIOCore

/// The frame around a picture in the format WebP (https://developers.google.com/speed/webp/docs/riff_container).
enum WebPFile {
    /// Whether it begins as one, and is as long as it says.
    static func isWhole(_ bytes: ByteBuffer) -> Bool {
        let start = bytes.readerIndex
        guard bytes.getString(at: start, length: 4) == "RIFF", bytes.getString(at: start + 8, length: 4) == "WEBP",
            let length: UInt32 = bytes.getInteger(at: start + 4, endianness: .little)
        else { return false }
        return Int64(length) + 8 == Int64(bytes.readableBytes)
    }

    /// The picture without what is said about it: `vipsthumbnail` 8.14 leaves EXIF in it, whatever it is told.
    ///
    /// - Returns: nil if that is no such file.
    static func bare(_ bytes: ByteBuffer) -> ByteBuffer? {
        guard isWhole(bytes) else { return nil }
        var rest = bytes
        rest.moveReaderIndex(forwardBy: 12)
        var (extended, picture): (ByteBuffer?, ByteBuffer) = (nil, ByteBuffer())
        var hasAlpha = false
        while rest.readableBytes >= 8 {
            guard let kind = rest.getString(at: rest.readerIndex, length: 4),
                let length: UInt32 = rest.getInteger(at: rest.readerIndex + 4, endianness: .little)
            else { return nil }
            // Chunks begin at even places.
            let count = Int(length) + Int(length & 1)
            guard var chunk = rest.readSlice(length: min(8 + count, rest.readableBytes)),
                chunk.readableBytes >= 8 + Int(length)
            else { return nil }
            switch kind {
            case "VP8X": extended = chunk
            case "VP8 ", "VP8L", "ALPH":
                hasAlpha = hasAlpha || kind == "ALPH"
                picture.writeBuffer(&chunk)
            default: break
            }
        }
        guard picture.readableBytes > 0 else { return nil }
        var body = ByteBuffer()
        if hasAlpha, var extended {
            // Of its flags, that there is transparency.
            extended.setInteger(0x10 as UInt8, at: extended.readerIndex + 8)
            body.writeBuffer(&extended)
        }
        body.writeBuffer(&picture)
        var file = ByteBuffer(string: "RIFF")
        file.writeInteger(UInt32(clamping: body.readableBytes + 4), endianness: .little)
        file.writeString("WEBP")
        file.writeBuffer(&body)
        return file
    }
}
