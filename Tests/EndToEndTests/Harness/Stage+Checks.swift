import Foundation
import Testing

extension Stage {
    /// What the attempts charged and what they hold back, in millicredits.
    func money() async throws -> (charged: Int, reserved: Int) {
        let sums = try await ledger(
            "SELECT coalesce(sum(charged_millicredits), 0), coalesce(sum(reserved_millicredits), 0) FROM attempts"
        )
        .split(separator: "|").compactMap { Int($0) }
        try #require(sums.count == 2)
        return (sums[0], sums[1])
    }

    /// Every file under a final name is a saved result's, whole, and every saved result has its file.
    func expectMediaMatchesResults() async throws {
        struct Saved: Decodable {
            let path: String
            let bytes: Int
            let sha256: String
        }
        let saved: [Saved] = try await ledger.rows("SELECT path, bytes, sha256 FROM results WHERE state = 'saved'")
        var files: Set<String> = []
        let enumerator = FileManager.default.enumerator(atPath: media)
        while let path = enumerator?.nextObject() as? String {
            let type = try FileManager.default.attributesOfItem(atPath: "\(media)/\(path)")[.type] as? FileAttributeType
            if type != .typeDirectory, !path.hasPrefix(".partial/") { files.insert(path) }
        }
        #expect(files == Set(saved.map(\.path)))
        guard !saved.isEmpty else { return }
        let list = saved.map { "\($0.sha256)  \(media)/\($0.path)\n" }.joined()
        let check = try await run("/usr/bin/env", ["sha256sum", "--check", "--quiet", "--strict"], input: list)
        #expect(check.end == .exit(0), "\(check.output)\(check.errors)")
        for result in saved {
            let size = try FileManager.default.attributesOfItem(atPath: "\(media)/\(result.path)")[.size] as? Int
            #expect(size == result.bytes)
        }
    }
}
