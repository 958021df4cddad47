import Glibc
import NIOCore
import SystemPackage

/// An open folder of the media directory, closed when nobody holds it any more. What is in it is reached from it, and no link is
/// followed.
final class MediaFolder: Sendable {
    private let descriptor: CInt

    /// - Throws: `Errno` if it cannot be opened.
    init(_ path: String) throws {
        descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    }

    private init(descriptor: CInt) { self.descriptor = descriptor }

    deinit { Glibc.close(descriptor) }

    /// - Parameter makes: whether it comes into being.
    /// - Returns: nil if there is none.
    func folder(_ name: String, makes: Bool = false) throws -> MediaFolder? {
        if makes, unsafe mkdirat(descriptor, name, 0o750) != 0, errno != EEXIST { throw Errno(rawValue: errno) }
        let next = unsafe openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        return next >= 0 ? MediaFolder(descriptor: next) : nil
    }

    /// - Returns: nil if there is no such file.
    func file(_ name: String) -> MediaFile? {
        // Without waiting: a pipe of that name would hold up whoever opens it.
        let file = unsafe openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return nil }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            Glibc.close(file)
            return nil
        }
        return MediaFile(descriptor: file, size: Int64(status.st_size), changed: status.changed)
    }

    /// A file's size and when it was changed, in nanoseconds since 1970; nil if there is none.
    func status(_ name: String) -> (size: Int64, changed: Int64, isFile: Bool)? {
        var status = stat()
        guard unsafe fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        return (Int64(status.st_size), status.changed, status.st_mode & S_IFMT == S_IFREG)
    }

    /// Writes a file whole, in place of what has its name.
    ///
    /// - Parameter partial: its name until then.
    func write(_ bytes: ByteBuffer, as name: String, partial: String) throws {
        let file = unsafe openat(
            descriptor,
            partial,
            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
            0o640 as mode_t
        )
        guard file >= 0 else { throw Errno(rawValue: errno) }
        let partialFile = MediaFile(descriptor: file, size: 0, changed: 0)
        do {
            try partialFile.append(bytes)
            guard unsafe renameat(descriptor, partial, descriptor, name) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            _ = unsafe unlinkat(descriptor, partial, 0)
            throw error
        }
    }

    /// A new file that loses its name at once.
    func scratch(_ name: String) throws -> MediaFile {
        let file = unsafe openat(
            descriptor,
            name,
            O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
            0o600 as mode_t
        )
        guard file >= 0 else { throw Errno(rawValue: errno) }
        let scratch = MediaFile(descriptor: file, size: 0, changed: 0)
        try remove(name)
        return scratch
    }

    func remove(_ name: String) throws {
        guard unsafe unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else { throw Errno(rawValue: errno) }
    }

    /// What is free on its disk, in bytes; nil if that cannot be told.
    var available: Int64? {
        var status = statvfs()
        guard unsafe fstatvfs(descriptor, &status) == 0 else { return nil }
        let free = Int64(clamping: status.f_bavail).multipliedReportingOverflow(by: Int64(clamping: status.f_frsize))
        return free.overflow ? nil : free.partialValue
    }
}

extension stat {
    fileprivate var changed: Int64 {
        Int64(st_mtim.tv_sec).multipliedReportingOverflow(by: 1_000_000_000).partialValue
            .addingReportingOverflow(Int64(st_mtim.tv_nsec)).partialValue
    }
}
