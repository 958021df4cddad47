import Glibc
import NIOCore
import PromptQueue
import SystemPackage

/// The files of results, as the pages serve them.
package struct MediaFiles: Sendable {
    let directory: String
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
        guard var folder = try root() else { return nil }
        for part in parts.dropLast() {
            guard let next = try folder.folder(part) else { return nil }
            folder = next
        }
        return folder.file(parts[parts.count - 1])
    }

    /// The media directory itself.
    ///
    /// - Returns: nil if it is another database's.
    func root() throws -> MediaFolder? {
        let folder = try MediaFolder(directory)
        guard let databaseID else { return folder }
        guard let marker = folder.file(".promptd") else { return nil }
        let text = String(buffer: try marker.read(at: 0, count: 100))
        return text.trimmingSpaces() == databaseID ? folder : nil
    }
}

/// An open file, closed when nobody holds it any more.
final class MediaFile: Sendable {
    let size: Int64
    /// When its content was changed, in nanoseconds since 1970.
    let changed: Int64
    /// For a program that reads it; it has one position, at its beginning.
    let descriptor: CInt

    init(descriptor: CInt, size: Int64, changed: Int64) {
        self.descriptor = descriptor
        self.size = size
        self.changed = changed
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

    /// Writes behind what was written before.
    func append(_ bytes: ByteBuffer) throws {
        var rest = bytes
        while rest.readableBytes > 0 {
            let count = unsafe rest.readWithUnsafeReadableBytes { bytes in
                max(0, unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count))
            }
            guard count > 0 else { throw Errno(rawValue: errno) }
        }
    }

    /// The same file, as long as it is by now.
    func grown() throws -> MediaFile {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Errno(rawValue: errno) }
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0 as CInt)
        guard copy >= 0 else { throw Errno(rawValue: errno) }
        return MediaFile(descriptor: copy, size: Int64(status.st_size), changed: changed)
    }
}
