import FoundationEssentials
import Glibc
import PromptQueue
import SystemPackage

/// Binds a media directory to one database: two would give the same names to different files. The file `.promptd` in it
/// bears the database's id, and is locked while a daemon works there.
package final class MediaOwner: Sendable {
    /// Another process works with this directory.
    package struct Held: Error, Sendable, CustomStringConvertible {
        package var description: String
    }

    static let markerName = ".promptd"
    private let descriptor: Int32

    /// - Parameter isShared: whether several daemons of that database may keep their results there.
    /// - Throws: `Held`; `MediaError` if the directory is another database's, or the marker cannot be written.
    package init(media path: String, databaseID: String, isShared: Bool = false) throws {
        let marker = "\(path)/\(Self.markerName)"
        descriptor = unsafe open(marker, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw MediaError(code: errno, at: marker) }
        do {
            try Self.take(descriptor, marker, path, databaseID, isShared)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// Whose directory it is; nil: nobody's.
    static func databaseID(media path: String) throws(Errno) -> String? {
        let descriptor = unsafe open("\(path)/\(markerName)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else { throw Errno(rawValue: errno) }
        let found = String(decoding: bytes.prefix(count), as: UTF8.self).trimmingSpaces()
        return found.isEmpty ? nil : found
    }

    private static func take(
        _ descriptor: Int32,
        _ marker: String,
        _ path: String,
        _ databaseID: String,
        _ isShared: Bool
    ) throws {
        guard flock(descriptor, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw MediaError(code: errno, at: marker) }
            throw Held(
                description: "\(path): another promptd keeps its results here; give each its own media directory"
            )
        }
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else { throw MediaError(code: errno, at: marker) }
        let found = String(decoding: bytes.prefix(count), as: UTF8.self).trimmingSpaces()
        guard found.isEmpty else {
            guard found == databaseID else {
                throw MediaError(
                    "\(path): holds the results of another database, whose files would be in the way: choose another "
                        + "media directory; or, if this database takes its place, remove \(marker)"
                )
            }
            return
        }
        let text = Array((databaseID + "\n").utf8)
        let written = unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        guard written == text.count, fsync(descriptor) == 0 else {
            throw MediaError(code: written < 0 ? errno : ENOSPC, at: marker)
        }
    }
}
