import Testing

@testable import MediaStore

/// Whole media are kept; half ones and error pages are not what was paid for.
struct MediaCheckTests {
    private static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
    private static let pngEnd: [UInt8] = [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]

    private static func box(_ name: String, _ bytes: Int, size: Int? = nil) -> [UInt8] {
        let size = size ?? bytes + 8
        return [UInt8(size >> 24 & 0xFF), UInt8(size >> 16 & 0xFF), UInt8(size >> 8 & 0xFF), UInt8(size & 0xFF)]
            + Array(name.utf8) + [UInt8](repeating: 7, count: bytes)
    }

    private static func riff(_ kind: String, size: UInt32, bytes: Int) -> [UInt8] {
        Array("RIFF".utf8) + (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * UInt32($0))) } + Array(kind.utf8)
            + [UInt8](repeating: 1, count: bytes)
    }

    /// An ID3 tag of 300 bytes and a first frame that says how many bytes there are from it on, then the rest.
    private static func mp3(bytes: Int, says: UInt32, isMono: Bool = false, frames: Bool = true) -> [UInt8] {
        var frame: [UInt8] = [0xFF, 0xFB, 0x90, isMono ? 0xC0 : 0x00] + [UInt8](repeating: 0, count: isMono ? 17 : 32)
        frame += Array("Info".utf8) + [0, 0, 0, frames ? 3 : 2] + (frames ? [0, 0, 1, 0] : [])
        frame += (0..<4).map { UInt8(truncatingIfNeeded: says >> (24 - 8 * UInt32($0))) }
        frame += [UInt8](repeating: 9, count: max(0, bytes - frame.count))
        return Array("ID3".utf8) + [3, 0, 0, 0, 0, 2, 0x2C] + [UInt8](repeating: 0, count: 300) + frame
    }

    private func problem(_ bytes: [UInt8], url: String = "https://a.example/x") throws -> String? {
        try MediaCheck.problem(
            head: Array(bytes.prefix(FileType.sniffedBytes)),
            count: Int64(bytes.count),
            url: url
        ) { offset, count throws(MediaError) in
            Array(bytes.dropFirst(Int(offset)).prefix(Int(count)))
        }
    }

    static let whole: [(String, [UInt8])] = [
        ("PNG", png + [UInt8](repeating: 5, count: 100_000) + pngEnd), ("PNG with a rest", png + pngEnd + [1, 2, 3]),
        ("JPEG", [0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 0xFF, 0xD9]), ("GIF", Array("GIF89a....".utf8) + [0x3B]),
        ("WebP", riff("WEBP", size: 24, bytes: 20)), ("WAVE of unknown length", riff("WAVE", size: .max, bytes: 4)),
        ("MP4", box("ftyp", 8) + box("moov", 50) + box("mdat", 100)),
        ("MP4 with an open end", box("ftyp", 8) + box("moov", 50) + box("mdat", 100, size: 0)),
        ("MP3", mp3(bytes: 2_000, says: 2_000)), ("MP3 in mono", mp3(bytes: 2_000, says: 1_900, isMono: true)),
        ("MP3 that does not tell", [0xFF, 0xFB, 0x90, 0x00] + [UInt8](repeating: 0, count: 100)),
        ("something else", [0, 1, 2, 3, 0xFE]),
    ]

    @Test(arguments: whole)
    func `a whole file is one`(name: String, bytes: [UInt8]) throws {
        #expect(try problem(bytes) == nil, "\(name)")
    }

    static let broken: [(String, [UInt8], String)] = [
        ("half a PNG", png + [UInt8](repeating: 5, count: 100), "PNG"),
        ("half a JPEG", [0xFF, 0xD8, 0xFF, 0xE0, 1], "JPEG"),
        ("half a GIF", Array("GIF89a....".utf8), "GIF"), ("half a WebP", riff("WEBP", size: 1_000, bytes: 20), "RIFF"),
        ("half an MP4", box("ftyp", 8) + box("moov", 50) + box("mdat", 100, size: 10_000), "MP4"),
        ("half an MP3", mp3(bytes: 2_000, says: 4_000), "MP3"),
        ("half an MP3 in mono", mp3(bytes: 2_000, says: .max, isMono: true, frames: false), "MP3"),
        ("an MP3 of a tag alone", Array("ID3".utf8) + [3, 0, 0, 0, 0, 127, 127, 1, 2], "MP3"),
        ("an MP4 without its index", box("ftyp", 8) + box("mdat", 100), "MP4"),
        ("an MP4 of boxes without size", box("ftyp", 8) + box("moov", 50, size: 3), "MP4"),
        ("an MP4 of an endless box", box("ftyp", 8) + box("moov", 50, size: 1), "MP4"),
        ("a page", Array("<!DOCTYPE html><html>gone</html>".utf8), "text"),
        ("an error in JSON", Array(#"{"error":"expired"}"#.utf8), "text"),
        ("an error in XML", Array("<?xml version=\"1.0\"?><Error/>".utf8), "text"),
        ("a text cut within a letter", Array("Büro".utf8.prefix(2)), "text"),
        ("a compressed body", [0x1F, 0x8B, 8, 0], "gzip"),
    ]

    @Test(arguments: broken)
    func `what is none, or half of one, is said`(name: String, bytes: [UInt8], reason: String) throws {
        let problem = try problem(bytes)
        #expect(problem?.contains(reason) == true, "\(name): \(problem ?? "nothing")")
    }

    @Test func `text is a result where the URL says so`() throws {
        #expect(try problem(Array(#"{"words":[]}"#.utf8), url: "https://a.example/x.JSON?y=1") == nil)
        #expect(try problem(Array("1\n00:00:01,000".utf8), url: "https://a.example/x.srt") == nil)
        #expect(try problem(Array("<html>".utf8), url: "https://a.example/x.png") != nil)
    }

    @Test func `what a server says in its text does nothing to a terminal`() throws {
        let problem = try #require(try problem(Array("<p>\u{9B}31m\u{202E}".utf8)))
        #expect(!problem.unicodeScalars.contains { $0.value == 0x9B || $0.value == 0x202E })
    }
}
