import FoundationEssentials
import Glibc
import PromptQueue
import SystemPackage

/// A directory for a while that nobody else can look into.
enum ScratchFolder {
    static func with(_ environment: [String: String], _ body: (_ path: String) async throws -> Void) async throws {
        let place = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(place)/promptctl-XXXXXX".utf8CString)
        let isMade = unsafe template.withUnsafeMutableBufferPointer {
            unsafe $0.baseAddress.map { unsafe mkdtemp($0) != nil } ?? false
        }
        guard isMade else {
            throw CommandError(.cannotCreate, "\(place): no directory can be made there: \(Errno(rawValue: errno))")
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // What cannot be removed is for systemd-tmpfiles to clear away.
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }
}
