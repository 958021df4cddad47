import Crypto
import Glibc
import PromptQueue
import Synchronization
import SystemPackage

/// A file of this machine that is to be uploaded. It is opened once, so that what was looked at is what is sent.
package final class LocalFile: Sendable {
    /// Why a file cannot be uploaded.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
        /// Whether it may pass: this machine has trouble.
        package let isPassing: Bool
        /// Whether the system gave no answer about the file; otherwise it is what the file is that is wrong.
        package let isSystem: Bool

        package init(_ description: String, isPassing: Bool = false, isSystem: Bool = false) {
            self.description = description
            self.isPassing = isPassing
            self.isSystem = isSystem
        }

        package static func changed(_ path: String) -> Problem {
            Problem("\(path): has changed since it was looked at", isPassing: true)
        }

        init(code: Int32, _ shown: String) {
            let words = Errno(rawValue: code).description
            let isPassing = [EIO, EMFILE, ENFILE, ENOMEM, ESTALE].contains(code)
            self.init("\(shown): \(words)", isPassing: isPassing, isSystem: true)
        }
    }

    package let bytes: Int64
    /// 64 lower-case hexadecimal digits.
    package let sha256: String
    package let type: FileType
    private let shown: String
    private let descriptor: Int32

    /// The provider takes no larger ones.
    package static let largest: Int64 = 100 * 1_048_576
    /// O_PATH, which Glibc's module leaves out: a directory that may be walked through need not be readable.
    private static let searchOnly: Int32 = 0o10_000_000
    private static let chunkBytes = 256 * 1_024

    /// - Parameter descriptor: is closed with the file.
    private init(_ descriptor: Int32, _ shown: String) throws(Problem) {
        self.descriptor = descriptor
        self.shown = shown
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw Problem(code: code, shown)
        }
        do throws(Problem) {
            guard status.st_mode & S_IFMT == S_IFREG else { throw Problem("\(shown): is no regular file") }
            guard status.st_size > 0 else { throw Problem("\(shown): is empty") }
            guard status.st_size <= Self.largest else {
                throw Problem("\(shown): has \(size(Int64(status.st_size))); the provider takes at most 100 MB")
            }
            var hash = SHA256()
            var count: Int64 = 0
            var head: [UInt8] = []
            while true {
                let chunk = try Self.read(descriptor, at: count, shown)
                if chunk.isEmpty { break }
                if head.isEmpty { head = Array(chunk.prefix(FileType.sniffedBytes)) }
                hash.update(data: chunk)
                count += Int64(chunk.count)
                guard count <= Self.largest else { throw Problem("\(shown): grows while it is read") }
            }
            bytes = count
            sha256 = Self.hexadecimal(hash.finalize())
            type = FileType(sniffing: head)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// The next bytes; none at the end.
    package func chunk(at offset: Int64) throws(Problem) -> [UInt8] { try Self.read(descriptor, at: offset, shown) }

    /// Reads the file from its beginning to its end, in order.
    ///
    /// - Throws: in place of the last bytes, if they are not those that were looked at.
    package func reader() -> @Sendable (Int64) throws(Problem) -> [UInt8] {
        let sum = Mutex(SHA256())
        return { [self] offset throws(Problem) in
            let chunk = try chunk(at: offset)
            let end = offset + Int64(chunk.count)
            guard end <= bytes, !chunk.isEmpty || offset == bytes else { throw .changed(shown) }
            guard !chunk.isEmpty else { return chunk }
            let found = sum.withLock { sum in
                sum.update(data: chunk)
                return sum
            }
            guard end < bytes || Self.hexadecimal(found.finalize()) == sha256 else { throw .changed(shown) }
            return chunk
        }
    }

    // MARK: - Opening

    /// A file as its owner names it: links are followed, and it is his to read.
    package static func open(own path: String) throws(Problem) -> LocalFile {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Problem(code: errno, path) }
        return try LocalFile(descriptor, path)
    }

    /// A file below one of some directories. No link is followed below them, and no `..` leads out.
    ///
    /// - Parameter roots: whole paths; what they are links to is their own affair.
    package static func open(_ path: String, below roots: [String]) throws(Problem) -> LocalFile {
        let parts = components(path)
        for root in roots {
            let above = components(root)
            guard parts.count > above.count, zip(parts, above).allSatisfy({ ExactText($0) == ExactText($1) }) else {
                continue
            }
            return try open(parts[above.count...].joined(separator: "/"), in: root)
        }
        throw Problem("\(path): is not below a directory of uploads.roots")
    }

    /// A file in a directory, or deeper. No link is followed on the way from there, and no `..` leads out.
    package static func open(_ name: String, in directory: String) throws(Problem) -> LocalFile {
        let shown = "\(directory)/\(name)"
        let parts = components(name)
        guard !name.utf8.contains(0), !parts.isEmpty, !parts.contains(".."), !parts.contains(".") else {
            throw Problem("\(shown): is not written as a plain path")
        }
        return try LocalFile(descriptor(of: parts, below: directory, shown), shown)
    }

    private static func components(_ path: String) -> [String] {
        path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
    }

    /// Step by step from the root, each a directory and no link.
    private static func descriptor(
        of parts: [String],
        below root: String,
        _ shown: String
    ) throws(Problem) -> Int32 {
        var directory = unsafe Glibc.open(root, searchOnly | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Problem(code: errno, root) }
        for part in parts.dropLast() {
            let next = unsafe openat(directory, part, searchOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            let code = errno
            close(directory)
            guard next >= 0 else { throw Problem(code: code, shown) }
            directory = next
        }
        defer { close(directory) }
        // A pipe must not keep whoever opens it.
        let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        let descriptor = unsafe openat(directory, parts.last ?? "", flags)
        guard descriptor >= 0 else { throw Problem(code: errno, shown) }
        return descriptor
    }

    private static func read(_ descriptor: Int32, at offset: Int64, _ shown: String) throws(Problem) -> [UInt8] {
        while true {
            var buffer = [UInt8](repeating: 0, count: chunkBytes)
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(offset))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Problem(code: errno, shown) }
            return Array(buffer.prefix(count))
        }
    }

    private static func hexadecimal(_ digest: SHA256.Digest) -> String {
        digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
