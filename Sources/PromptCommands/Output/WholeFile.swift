import FoundationEssentials
import Glibc
import PromptQueue
import SystemPackage

/// A file that is there whole, synced and under its name, or not at all.
enum WholeFile {
    /// Has `make` write under another name beside it, and gives it its own when it is on disk.
    ///
    /// - Parameter isDirect: whether `make` writes to the path itself, because it is no file.
    static func write(_ path: String, isDirect: Bool = false, _ make: (_ partial: String) throws -> Void) throws {
        if isDirect { return try make(path) }
        let partial = path + ".partial"
        unsafe unlink(partial)
        do {
            try make(partial)
            try sync(partial)
            guard unsafe rename(partial, path) == 0 else {
                throw CommandError(.cannotCreate, "\(path): cannot be made: \(Errno(rawValue: errno))")
            }
            try sync(path.contains("/") ? String(path[...(path.lastIndex(of: "/") ?? path.startIndex)]) : ".")
        } catch {
            unsafe unlink(partial)
            throw error
        }
    }

    /// Waits until a file or directory is on disk.
    private static func sync(_ path: String) throws(CommandError) {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandError(.inputOutput, "\(path): cannot be opened: \(Errno(rawValue: errno))")
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw CommandError(.inputOutput, "\(path): cannot be synced: \(Errno(rawValue: errno))")
        }
    }
}
