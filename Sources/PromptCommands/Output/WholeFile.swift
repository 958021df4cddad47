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
        let partial = begin(path)
        do {
            try make(partial)
            try finish(partial, path, replaces: true)
        } catch {
            unsafe unlink(partial)
            throw error
        }
    }

    /// The same for what takes its time.
    ///
    /// - Parameter replaces: whether what has the name makes way; if not, it stays, and nothing is written.
    static func write(
        _ path: String,
        isDirect: Bool = false,
        replaces: Bool,
        _ make: (_ partial: String) async throws -> Void
    ) async throws {
        if isDirect { return try await make(path) }
        if !replaces, unsafe access(path, F_OK) == 0 { throw isThere(path) }
        let partial = begin(path)
        do {
            try await make(partial)
            try finish(partial, path, replaces: replaces)
        } catch {
            unsafe unlink(partial)
            throw error
        }
    }

    private static func begin(_ path: String) -> String {
        let partial = path + ".partial"
        unsafe unlink(partial)
        return partial
    }

    private static func isThere(_ path: String) -> CommandError {
        CommandError(.cannotCreate, "\(path): is there already; --force writes over it")
    }

    private static func finish(_ partial: String, _ path: String, replaces: Bool) throws(CommandError) {
        try sync(partial)
        // Unlike rename(2), link(2) refuses a name that is taken.
        if !replaces, unsafe link(partial, path) == 0 {
            unsafe unlink(partial)
        } else {
            if !replaces, errno == EEXIST { throw isThere(path) }
            guard unsafe rename(partial, path) == 0 else {
                throw CommandError(.cannotCreate, "\(path): cannot be made: \(Errno(rawValue: errno))")
            }
        }
        try sync(path.contains("/") ? String(path[...(path.lastIndex(of: "/") ?? path.startIndex)]) : ".")
    }

    /// Whether a path leads to a file.
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
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
