import Glibc
import NIOCore
import PromptQueue
import SystemPackage

/// The files of results, as the pages serve them.
package struct MediaFiles: Sendable {
    private let directory: String
    private let databaseID: String?

    /// - Parameters:
    ///   - directory: where results are.
    ///   - databaseID: what the directory's file `.promptd` says; nil: anything. Whoever may rename the directory could put
    ///     another one, or a link to one, in its place.
    package init(directory: String, databaseID: String?) {
        self.directory = directory
        self.databaseID = databaseID
    }

    /// Opens a file by its path in the media directory. Each step is taken from the folder before it and follows no link: a
    /// link would lead to what is no result.
    ///
    /// - Returns: nil if there is no such file.
    func open(_ path: String) throws -> MediaFile? {
        let parts = FilePathParts.components(path, keepsEmpty: true)
        // What is hidden is promptd's own.
        guard !parts.isEmpty,
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.first != UInt8(ascii: ".") && !$0.utf8.contains(0) })
        else { return nil }
        var folder = unsafe Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Errno(rawValue: errno) }
        defer { Glibc.close(folder) }
        guard isOurs(folder) else { return nil }
        for part in parts.dropLast() {
            let next = unsafe openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard next >= 0 else { return nil }
            Glibc.close(folder)
            folder = next
        }
        // Without waiting: a pipe of that name would hold up whoever opens it.
        let name = parts[parts.count - 1]
        let descriptor = unsafe openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            Glibc.close(descriptor)
            return nil
        }
        return MediaFile(descriptor: descriptor, size: Int64(status.st_size))
    }

    private func isOurs(_ folder: CInt) -> Bool {
        guard let databaseID else { return true }
        let marker = unsafe openat(folder, ".promptd", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard marker >= 0 else { return false }
        defer { Glibc.close(marker) }
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(marker, $0.baseAddress, $0.count, 0) }
        return count > 0 && String(decoding: bytes.prefix(count), as: UTF8.self).trimmingSpaces() == databaseID
    }
}

/// An open file, closed when nobody holds it any more.
final class MediaFile: Sendable {
    let size: Int64
    private let descriptor: CInt

    fileprivate init(descriptor: CInt, size: Int64) {
        self.descriptor = descriptor
        self.size = size
    }

    deinit { Glibc.close(descriptor) }

    /// At most `count` bytes from `offset`; fewer at the end.
    func read(at offset: Int64, count: Int) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        let read = unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            max(0, unsafe pread(descriptor, bytes.baseAddress, count, off_t(offset)))
        }
        guard read > 0 || count == 0 || offset >= size else { throw Errno(rawValue: errno) }
        return buffer
    }
}
