import Glibc
import PromptQueue
import Synchronization

/// The number of the last request, outside the database: a copy that takes the database's place is older than these.
///
/// Written before a request is sent, and not synced: it has to outlive the process, and a copy that somebody puts in place, not a
/// power failure. Each file has a fixed length, so that a full disk does not matter.
final class RequestMarks: Sendable {
    private static let magic = "promptd requests 1"
    private static let length = 128

    private let databaseID: String
    private let descriptors: [Int32]
    /// The highest number that was found.
    let found: Int64?
    private let last: Mutex<Int64>

    /// Files that cannot be opened are left out: one is enough, and none is what a copy on another machine has.
    init(_ paths: [String], databaseID: String) {
        self.databaseID = databaseID
        descriptors = paths.compactMap { path in
            let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            return descriptor >= 0 ? descriptor : nil
        }
        found = descriptors.compactMap { Self.read($0, databaseID) }.max()
        last = Mutex(found ?? -1)
    }

    deinit { for descriptor in descriptors { close(descriptor) } }

    var isEmpty: Bool { descriptors.isEmpty }

    /// Notes a request, unless a later one is noted already.
    func note(_ attempt: Int64) {
        last.withLock { last in
            guard attempt > last else { return }
            last = attempt
            var text = Array("\(Self.magic)\n\(databaseID)\n\(attempt)\n".utf8)
            text += [UInt8](repeating: UInt8(ascii: " "), count: max(0, Self.length - text.count - 1)) + [0x0A]
            for descriptor in descriptors {
                _ = unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
            }
        }
    }

    private static func read(_ descriptor: Int32, _ databaseID: String) -> Int64? {
        var bytes = [UInt8](repeating: 0, count: length)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        let lines = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n")
        // Another database's says nothing of this one.
        guard lines.count >= 3, lines[0] == magic, lines[1] == databaseID, let attempt = Int64(lines[2]), attempt >= 0
        else { return nil }
        return attempt
    }
}
