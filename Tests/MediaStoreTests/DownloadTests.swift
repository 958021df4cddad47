import FoundationEssentials
import KieAPI
import PromptQueue
import Testing

@testable import MediaStore

/// What may be fetched, and how it lands on disk.
@Suite struct DownloadTests {
    static let addresses: [(String, Bool)] = [
        ("8.8.8.8", true), ("104.16.0.1", true), ("2606:4700::1111", true),
        ("127.0.0.1", false), ("10.1.2.3", false), ("172.16.0.1", false), ("172.32.0.1", true), ("192.168.1.1", false),
        ("169.254.169.254", false), ("100.64.0.1", false), ("0.0.0.0", false), ("224.0.0.1", false),
        ("255.255.255.255", false), ("192.0.2.1", false), ("198.51.100.7", false), ("203.0.113.9", false),
        ("198.18.0.1", false), ("::1", false), ("fe80::1", false), ("fc00::1", false), ("::ffff:10.0.0.1", false),
        ("64:ff9b::7f00:1", false), ("2002:7f00:1::", false), ("2001:db8::1", false), ("ff02::1", false),
        ("nonsense", false), ("64:ff9b::808:808", true), ("64:ff9b:1::808:808", false), ("2001::1", false),
        ("2001:2::1", false), ("2001:200::1", true), ("3fff::1", false), ("192.88.99.1", false), ("::127.0.0.1", false),
        ("168.63.129.16", false), ("168.63.129.17", true), ("fd00:ec2::254", false), ("100.100.100.200", false),
        ("0.1.2.3", false), ("240.0.0.1", false), ("fec0::1", false), ("5f00::1", false), ("::", false),
    ]

    @Test(arguments: addresses)
    func `only public addresses are fetched from`(address: String, isPublic: Bool) {
        #expect(AddressRange.isPublic(address: address) == isPublic)
    }

    static let urls: [(String, Bool, Bool)] = [
        ("https://8.8.8.8/x.png", true, true), ("http://8.8.8.8/x.png", false, true),
        ("https://127.0.0.1/x", false, true), ("http://127.0.0.1:99/x", false, true), ("https://[::1]/x", false, true),
        ("https://192.168.0.1/x", false, false), ("file:///etc/passwd", false, false),
        ("ftp://8.8.8.8/x", false, false),
        ("https://user:pw@8.8.8.8/", false, false), ("/relative", false, false), ("", false, false),
        // Other spellings of 127.0.0.1.
        ("https://0x7f.1/x", false, true), ("https://2130706433/x", false, true), ("https://127.1/x", false, true),
        ("https://[::ffff:127.0.0.1]/x", false, false), ("https://8.8.8.8%2f@127.0.0.1/", false, false),
        ("https://[fe80::1%25eth0]/x", false, false), ("https://%31%32%37.0.0.1/x", false, false),
        ("https://8.8.8.8:99999/x", false, false), ("https://8.8.8.8:0/x", false, false),
        ("https://8.8.8.8:99999999999999999999/x", false, false), ("https://8.8.8.8:65535/x", true, true),
        ("https:///x", false, false), ("HTTPS://8.8.8.8/x", true, true), ("data:image/png;base64,AA==", false, false),
    ]

    @Test(arguments: urls)
    func `a hostile URL is refused; the sandbox's is not`(url: String, strictly: Bool, forSandbox: Bool) async {
        #expect(await Self.isAllowed(url, by: URLPolicy(allowsLoopback: false)) == strictly)
        #expect(await Self.isAllowed(url, by: URLPolicy(allowsLoopback: true)) == forSandbox)
    }

    private static func isAllowed(_ url: String, by policy: URLPolicy) async -> Bool {
        do {
            return !(try await policy.addresses(for: url)).isEmpty
        } catch {
            return false
        }
    }

    @Test(arguments: [
        ("default", "default"), ("../../etc", "_._.._etc"), ("a/b", "a_b"), ("", "_"), (".hidden", "_hidden"),
        ("Sommer 2026 – Büro", "Sommer 2026 _ Büro"), ("x\u{0}y", "x_y"),
    ])
    func `a folder's name leads nowhere else`(name: String, safe: String) {
        let found = PathPart.safe(name)
        #expect(!found.contains("/"))
        #expect(!found.hasPrefix("."))
        #expect(found == safe)
    }

    @Test func `a type is sniffed, not believed`() {
        #expect(FileType(sniffing: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]).fileExtension == "png")
        #expect(FileType(sniffing: Array("RIFF0000WEBPVP8 ".utf8)).contentType == "image/webp")
        #expect(FileType(sniffing: Array("RIFF0000WAVEfmt ".utf8)).contentType == "audio/wav")
        #expect(FileType(sniffing: Array("0000ftypisom".utf8)).contentType == "video/mp4")
        #expect(FileType(sniffing: Array("<html>".utf8)) == .unknown)
    }

    @Test func `a file is there whole under its final name, or not at all`() throws {
        let path = "/tmp/promptd-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let media = try MediaDirectory(path: path)
        let download = PendingDownload(
            result: ResultID(job: JobID(7), ordinal: 0),
            output: .file(url: "https://x"),
            origin: JobOrigin(queue: "ads"),
            createdAt: Instant(milliseconds: 0)
        )
        do {
            var dropped = try media.begin(download.result)
            try dropped.write([1, 2, 3])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/.partial").isEmpty)
        var file = try media.begin(download.result)
        try file.write(Array("RIFF0000".utf8))
        try file.write(Array("WAVE".utf8))
        #expect(!FileManager.default.fileExists(atPath: path + "/ads"))
        let saved = try media.keep(file, as: ResultName(.standard, NameFields(download)), job: download.result.job)
        #expect(saved.path == "ads/7-0.wav")
        #expect(saved.bytes == 12)
        #expect(saved.sha256 == "3bd4b526023a3158211405d1c6391501cea84cd62b7ad000a493740b03e14f81")
        #expect(FileManager.default.contents(atPath: path + "/ads/7-0.wav") == Data("RIFF0000WAVE".utf8))
    }
}
