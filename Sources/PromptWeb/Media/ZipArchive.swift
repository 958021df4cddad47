import NIOCore
import PromptQueue

/// The parts of a zip file around the files themselves, which are stored as they are; with 64-bit sizes where they are needed
/// (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3 and 4.5).
///
/// A file's checksum follows it, so that each is read once. All sizes are known before, and so is the archive's.
struct ZipArchive {
    struct Entry: Sendable {
        let name: String
        let size: Int64
        let date: Instant
        fileprivate var offset: Int64 = 0
        fileprivate var checksum: UInt32 = 0

        init(name: String, size: Int64, date: Instant) {
            self.name = name
            self.size = size
            self.date = date
        }

        fileprivate var isLarge: Bool { size >= ZipArchive.limit }
    }

    private static let limit: Int64 = 0xFFFF_FFFF
    private(set) var entries: [Entry] = []
    private var offset: Int64 = 0

    /// How long an archive of these entries is.
    static func size(of entries: [Entry]) -> Int64 {
        var archive = ZipArchive()
        for entry in entries {
            _ = archive.begin(entry)
            archive.offset += entry.size
            _ = archive.end(checksum: 0)
        }
        let end = archive.finish()
        return archive.offset + Int64(end.readableBytes)
    }

    /// What stands before a file.
    mutating func begin(_ entry: Entry) -> ByteBuffer {
        var entry = entry
        entry.offset = offset
        entries.append(entry)
        var buffer = ByteBuffer()
        buffer.writeNumber(0x0403_4B50 as UInt32)
        buffer.writeNumber(entry.isLarge ? 45 : 20 as UInt16)
        // The checksum follows the file; the name is UTF-8.
        buffer.writeNumber(0x0808 as UInt16)
        buffer.writeNumber(0 as UInt16)
        buffer.writeNumber(entry.time)
        buffer.writeNumber(0 as UInt32)
        let extra: UInt16 = entry.isLarge ? 20 : 0
        for _ in 0..<2 { buffer.writeNumber(entry.isLarge ? 0xFFFF_FFFF : 0 as UInt32) }
        buffer.writeNumber(UInt16(clamping: entry.name.utf8.count))
        buffer.writeNumber(extra)
        buffer.writeString(entry.name)
        if entry.isLarge {
            buffer.writeNumber(1 as UInt16)
            buffer.writeNumber(16 as UInt16)
            buffer.writeNumber(0 as UInt64)
            buffer.writeNumber(0 as UInt64)
        }
        offset += Int64(buffer.readableBytes)
        return buffer
    }

    /// Counts what was written of a file.
    mutating func wrote(_ bytes: Int) { offset += Int64(bytes) }

    /// What stands after a file.
    mutating func end(checksum: UInt32) -> ByteBuffer {
        guard var entry = entries.popLast() else { return ByteBuffer() }
        entry.checksum = checksum
        entries.append(entry)
        var buffer = ByteBuffer()
        buffer.writeNumber(0x0807_4B50 as UInt32)
        buffer.writeNumber(checksum)
        for _ in 0..<2 {
            if entry.isLarge {
                buffer.writeNumber(UInt64(clamping: entry.size))
            } else {
                buffer.writeNumber(UInt32(clamping: entry.size))
            }
        }
        offset += Int64(buffer.readableBytes)
        return buffer
    }

    /// The list of all entries, which ends the archive.
    func finish() -> ByteBuffer {
        var buffer = ByteBuffer()
        for entry in entries { Self.list(entry, in: &buffer) }
        let length = Int64(buffer.readableBytes)
        let count = entries.count
        if offset >= Self.limit || length >= Self.limit || count >= 0xFFFF {
            buffer.writeNumber(0x0606_4B50 as UInt32)
            buffer.writeNumber(44 as UInt64)
            buffer.writeNumber(45 as UInt16)
            buffer.writeNumber(45 as UInt16)
            buffer.writeNumber(0 as UInt32)
            buffer.writeNumber(0 as UInt32)
            for _ in 0..<2 { buffer.writeNumber(UInt64(clamping: count)) }
            buffer.writeNumber(UInt64(clamping: length))
            buffer.writeNumber(UInt64(clamping: offset))
            buffer.writeNumber(0x0706_4B50 as UInt32)
            buffer.writeNumber(0 as UInt32)
            buffer.writeNumber(UInt64(clamping: offset + length))
            buffer.writeNumber(1 as UInt32)
        }
        buffer.writeNumber(0x0605_4B50 as UInt32)
        buffer.writeNumber(0 as UInt32)
        for _ in 0..<2 { buffer.writeNumber(UInt16(clamping: count)) }
        buffer.writeNumber(UInt32(clamping: length))
        buffer.writeNumber(UInt32(clamping: offset))
        buffer.writeNumber(0 as UInt16)
        return buffer
    }

    private static func list(_ entry: Entry, in buffer: inout ByteBuffer) {
        let isFar = entry.offset >= limit
        var extra = ByteBuffer()
        if entry.isLarge {
            extra.writeNumber(UInt64(clamping: entry.size))
            extra.writeNumber(UInt64(clamping: entry.size))
        }
        if isFar { extra.writeNumber(UInt64(clamping: entry.offset)) }
        let hasExtra = extra.readableBytes > 0
        buffer.writeNumber(0x0201_4B50 as UInt32)
        // Made on Unix, so that the attributes below count.
        buffer.writeNumber(0x031E as UInt16)
        buffer.writeNumber(hasExtra ? 45 : 20 as UInt16)
        buffer.writeNumber(0x0808 as UInt16)
        buffer.writeNumber(0 as UInt16)
        buffer.writeNumber(entry.time)
        buffer.writeNumber(entry.checksum)
        for _ in 0..<2 { buffer.writeNumber(UInt32(clamping: entry.size)) }
        buffer.writeNumber(UInt16(clamping: entry.name.utf8.count))
        buffer.writeNumber(UInt16(clamping: hasExtra ? extra.readableBytes + 4 : 0))
        buffer.writeNumber(0 as UInt16)
        buffer.writeNumber(0 as UInt16)
        buffer.writeNumber(0 as UInt16)
        // A regular file, 0644.
        buffer.writeNumber(0o100644 << 16 as UInt32)
        buffer.writeNumber(UInt32(clamping: entry.offset))
        buffer.writeString(entry.name)
        if hasExtra {
            buffer.writeNumber(1 as UInt16)
            buffer.writeNumber(UInt16(clamping: extra.readableBytes))
            buffer.writeBuffer(&extra)
        }
    }
}

extension ZipArchive.Entry {
    /// In UTC, as MS-DOS has it: even seconds since 1980.
    fileprivate var time: UInt32 {
        let time = CivilTime(milliseconds: date.milliseconds)
        return time.packed
    }
}

extension CivilTime {
    /// Year since 1980, month, day, hour, minute and half the seconds, as zip files have them.
    fileprivate var packed: UInt32 {
        let date = self.date.split(separator: "-").compactMap { UInt32($0) }
        let clock = milliseconds.split(whereSeparator: { ":.".contains($0) }).compactMap { UInt32($0) }
        guard date.count == 3, clock.count == 4, (1980...2107).contains(date[0]) else { return 0x0021_0000 }
        let day = (date[0] - 1980) << 9 | date[1] << 5 | date[2]
        return day << 16 | clock[0] << 11 | clock[1] << 5 | clock[2] / 2
    }
}

extension ByteBuffer {
    /// In little-endian order.
    fileprivate mutating func writeNumber(_ number: some FixedWidthInteger) {
        writeInteger(number, endianness: .little)
    }
}
