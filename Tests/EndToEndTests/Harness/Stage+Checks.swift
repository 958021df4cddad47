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
            let isOurs = path.hasPrefix(".partial/") || [".promptd", ".promptd-requests"].contains(path)
            if type != .typeDirectory, !isOurs { files.insert(path) }
        }
        let sidecars = files.filter { path in
            path.hasSuffix(".json") && Int(URL(filePath: path).deletingPathExtension().lastPathComponent) != nil
        }
        let strays = files.subtracting(sidecars).symmetricDifference(saved.map(\.path))
        #expect(strays.isEmpty, "files without a saved result, or the reverse")
        try await expectSidecarsMatchResults(sidecars)
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

/// `FOLDER/JOB.json`, as far as the tests look at it.
struct SidecarFile: Decodable {
    struct Result: Decodable {
        let ordinal: Int
        let path: String?
        let sha256: String?
    }

    let job: Int
    let model: String
    let prompt: String?
    let credits_charged: Double?
    let results: [Result]
}

extension Stage {
    /// Every job that has succeeded has its sidecar, and every sidecar tells what the database tells.
    func expectSidecarsMatchResults(_ paths: Set<String>) async throws {
        struct Row: Decodable {
            let id: Int
            let prompt: String?
            let path: String
            let sha256: String
            let folder: String
        }
        let rows: [Row] = try await ledger.rows(
            """
            SELECT j.id, j.prompt, r.path, r.sha256, substr(r.path, 1, instr(r.path, '/') - 1) AS folder
            FROM jobs AS j JOIN results AS r ON r.job_id = j.id
            WHERE j.state = 'succeeded' AND r.state = 'saved'
            """
        )
        for row in rows {
            let path = "\(row.folder)/\(row.id).json"
            guard paths.contains(path) else {
                Issue.record("\(path) is missing")
                continue
            }
            let data = try Data(contentsOf: URL(filePath: "\(media)/\(path)"))
            let sidecar = try JSONDecoder().decode(SidecarFile.self, from: data)
            #expect(sidecar.job == row.id)
            #expect(sidecar.prompt == row.prompt)
            #expect(sidecar.results.contains { $0.path == row.path && $0.sha256 == row.sha256 })
        }
    }
}
