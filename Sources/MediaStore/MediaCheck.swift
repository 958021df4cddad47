import PromptQueue

/// Whether a file that came is a whole one of its kind: an error page with status 200, or half a picture, is not what was
/// paid for, and the URL may give the right one a little later.
///
/// It looks at the first bytes and at the end. Of kinds that it does not know it says nothing, unless they are text.
enum MediaCheck {
    /// Where the end of a picture is looked for: some programs write a little behind it.
    private static let tailBytes: Int64 = 65_536
    /// Results that are text by nature, as their URL says.
    private static let texts: Set<String> = [
        "json", "txt", "srt", "vtt", "csv", "svg", "md", "lrc", "obj", "gltf", "mtl",
    ]

    /// What is wrong with a file; nil if nothing is.
    ///
    /// - Parameters:
    ///   - url: its result's, which may name its kind.
    ///   - read: so many bytes from an offset, or as many as there are.
    static func problem(
        head: [UInt8],
        count: Int64,
        url: String,
        read: (_ offset: Int64, _ count: Int64) throws(MediaError) -> [UInt8]
    ) throws(MediaError) -> String? {
        let type = FileType(sniffing: head)
        switch type.fileExtension {
        case "png":
            let tail = try read(max(0, count - tailBytes), tailBytes)
            return tail.hasSubsequence([0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]) ? nil : cut("PNG")
        case "jpg":
            let tail = try read(max(0, count - tailBytes), tailBytes)
            return tail.hasSubsequence([0xFF, 0xD9]) ? nil : cut("JPEG")
        case "gif":
            return try read(max(0, count - 16), 16).contains(0x3B) ? nil : cut("GIF")
        case "webp", "wav", "avi":
            guard head.count >= 12 else { return cut("RIFF") }
            let size = head[4..<8].reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
            // Written as it was made, its length is not known: 0, or all bits.
            return size == 0 || size >= 0x7FFF_FFFF || size + 8 <= count ? nil : cut("RIFF")
        case "mp4", "mov", "m4a", "avif":
            return try boxesProblem(count, type.fileExtension, read)
        case "mp3":
            return try mpegAudioProblem(count, read)
        case "gz":
            return url.lowercased().contains(".gz") ? nil : "is compressed with gzip, which was not asked for"
        case "json", "svg", "bin":
            let start = try read(0, 512)
            guard isText(start), !texts.contains(pathExtension(url)) else { return nil }
            let shown = String(decoding: start.prefix(60), as: UTF8.self)
            return "is text and no media file: \(PlainText.oneLine(shown))"
        default:
            return nil
        }
    }

    private static func cut(_ kind: String) -> String { "ends too early for a \(kind) file" }

    /// Boxes one after the other (ISO/IEC 14496-12, section 4.2), the last of which ends with the file; one tells what is
    /// in the others.
    private static func boxesProblem(
        _ count: Int64,
        _ kind: String,
        _ read: (Int64, Int64) throws(MediaError) -> [UInt8]
    ) throws(MediaError) -> String? {
        var offset: Int64 = 0
        var names: Set<String> = []
        for _ in 0..<10_000 where offset < count {
            let header = try read(offset, 16)
            guard header.count >= 8 else { return cut(kind.uppercased()) }
            var size = header[0..<4].reduce(Int64(0)) { $0 << 8 | Int64($1) }
            names.insert(String(decoding: header[4..<8], as: UTF8.self))
            if size == 1 {
                guard header.count == 16, header[8] == 0 else { return cut(kind.uppercased()) }
                size = header[8..<16].reduce(Int64(0)) { $0 << 8 | Int64($1) }
            }
            if size == 0 { break }
            guard size >= 8, size <= count - offset else { return cut(kind.uppercased()) }
            offset += size
        }
        let index = kind == "avif" ? "meta" : "moov"
        return names.contains(index) ? nil : cut(kind.uppercased())
    }

    /// The first frame may tell how many bytes the frames have ("Xing" or "Info", behind the side information, ISO/IEC
    /// 11172-3, section 2.4.1.7); before it there may be tags (ID3v2, section 3.1). A file without such a frame tells
    /// nothing of its end.
    private static func mpegAudioProblem(
        _ count: Int64,
        _ read: (Int64, Int64) throws(MediaError) -> [UInt8]
    ) throws(MediaError) -> String? {
        var offset: Int64 = 0
        let tag = try read(0, 10)
        if tag.starts(with: Array("ID3".utf8)), tag.count == 10 {
            let hasFooter = tag[5] & 0x10 != 0
            offset = tag[6..<10].reduce(Int64(0)) { $0 << 7 | Int64($1 & 0x7F) } + (hasFooter ? 20 : 10)
            guard offset < count else { return cut("MP3") }
        }
        let frame = try read(offset, 64)
        for place in [13, 21, 36] {
            let mark = Array(frame.dropFirst(place))
            guard mark.starts(with: Array("Xing".utf8)) || mark.starts(with: Array("Info".utf8)), mark.count >= 16
            else {
                continue
            }
            let (tellsFrames, tellsBytes) = (mark[7] & 1 != 0, mark[7] & 2 != 0)
            guard tellsBytes else { return nil }
            let size = mark[(tellsFrames ? 12 : 8)...].prefix(4).reduce(Int64(0)) { $0 << 8 | Int64($1) }
            return size <= count - offset ? nil : cut("MP3")
        }
        return nil
    }

    private static func isText(_ bytes: [UInt8]) -> Bool {
        guard bytes.allSatisfy({ $0 >= 0x20 || (0x09...0x0D).contains($0) }) else { return false }
        // The last character may be cut in two.
        return (0...3).contains { String(validating: bytes.dropLast($0), as: UTF8.self) != nil }
    }

    private static func pathExtension(_ url: String) -> String {
        let path = url.prefix { $0 != "?" && $0 != "#" }
        guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return "" }
        return path[path.index(after: dot)...].lowercased()
    }
}

extension [UInt8] {
    fileprivate func hasSubsequence(_ other: [UInt8]) -> Bool {
        guard let first = other.first, count >= other.count else { return false }
        return indices.dropLast(other.count - 1).contains { self[$0] == first && self[$0...].starts(with: other) }
    }
}
