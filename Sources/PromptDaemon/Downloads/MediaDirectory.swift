import Crypto
import FoundationEssentials
import Glibc
import PromptQueue

/// Where results are kept. A file is there whole, synced and under its final name, or not at all.
package struct MediaDirectory: Sendable {
    package let path: String

    /// Half-written files live here, out of the way of whoever watches the folders.
    private var partial: String { path + "/.partial" }

    /// Makes the directory if need be, and clears what an earlier process left half written.
    ///
    /// - Throws: `MediaError` that says what is missing.
    package init(path: String) throws(MediaError) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        try Self.makeDirectory(self.path)
        guard unsafe access(self.path, W_OK | X_OK) == 0 else {
            throw MediaError("\(self.path): the media directory is not writable for this user")
        }
        try Self.makeDirectory(partial)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: partial)) ?? [] {
            unsafe unlink(partial + "/" + name)
        }
    }

    /// Whether the directory is there and writable, or can be made.
    /// - Throws: `MediaError` that says what is missing.
    static func check(_ path: String) throws(MediaError) {
        if FileManager.default.fileExists(atPath: path) {
            guard unsafe access(path, W_OK | X_OK) == 0 else {
                throw MediaError("\(path): the media directory is not writable for this user")
            }
        } else {
            let parent = FilePathParts.split(path).directory
            guard unsafe access(parent, W_OK | X_OK) == 0 else {
                throw MediaError("\(path): cannot be made: \(parent) does not exist or is not writable")
            }
        }
    }

    /// A folder's name made safe for a path: no separators, no leading dot, at most 100 bytes.
    package static func safeName(_ name: String) -> String {
        var safe = ""
        for scalar in name.unicodeScalars {
            let isPlain =
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || "-_. ".unicodeScalars.contains(scalar)
            let next = isPlain ? String(scalar) : "_"
            if safe.utf8.count + next.utf8.count > 100 { break }
            safe += next
        }
        if safe.hasPrefix(".") { safe = "_" + safe.dropFirst() }
        return safe.isEmpty ? "_" : safe
    }

    /// Starts a file.
    func begin(_ result: ResultID) throws(MediaError) -> PartialFile {
        try PartialFile(path: "\(partial)/\(result)")
    }

    /// Gives a complete file its final name: `FOLDER/JOB-ORDINAL.EXTENSION`.
    func keep(_ file: consuming PartialFile, for download: PendingDownload) throws(MediaError) -> SavedFile {
        let type = FileType(sniffing: file.head)
        let folder = Self.safeName(download.folder)
        try Self.makeDirectory("\(path)/\(folder)")
        let name = "\(folder)/\(download.result).\(type.fileExtension)"
        let bytes = file.count
        let sha256 = try file.finish(as: "\(path)/\(name)")
        try Self.sync("\(path)/\(folder)")
        return SavedFile(path: name, contentType: type.contentType, bytes: bytes, sha256: sha256)
    }

    private static func makeDirectory(_ path: String) throws(MediaError) {
        if unsafe mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        throw MediaError("\(path): cannot be made: \(unsafe String(cString: strerror(errno)))")
    }

    /// A new name in a directory is on disk only after the directory is synced (fsync(2)).
    private static func sync(_ directory: String) throws(MediaError) {
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw MediaError("\(directory): cannot be synced") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw MediaError("\(directory): cannot be synced") }
    }
}

package struct MediaError: Error, Sendable, CustomStringConvertible {
    package var description: String
    /// Whether space is what is missing.
    package var isDiskFull: Bool

    init(_ description: String, isDiskFull: Bool = false) {
        self.description = description
        self.isDiskFull = isDiskFull
    }
}

/// A file that is being written; removed unless it is finished.
struct PartialFile: ~Copyable {
    private let path: String
    private let descriptor: Int32
    private var hash = SHA256()
    private(set) var count: Int64 = 0
    private(set) var head: [UInt8] = []

    init(path: String) throws(MediaError) {
        self.path = path
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    mutating func write(_ bytes: [UInt8]) throws(MediaError) {
        hash.update(data: bytes)
        if head.count < FileType.sniffedBytes { head += bytes.prefix(FileType.sniffedBytes - head.count) }
        var offset = 0
        while offset < bytes.count {
            let written = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress.map { unsafe $0 + offset }, $0.count - offset)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw Self.failure(path) }
            offset += written
        }
        count += Int64(bytes.count)
    }

    /// Syncs the file and renames it; returns its SHA-256 in hexadecimal.
    consuming func finish(as final: String) throws(MediaError) -> String {
        guard fsync(descriptor) == 0 else { throw Self.failure(path) }
        guard unsafe rename(path, final) == 0 else { throw Self.failure(final) }
        return hash.finalize().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    deinit {
        close(descriptor)
        // After `finish` there is nothing of that name any more.
        unsafe unlink(path)
    }

    private static func failure(_ path: String) -> MediaError {
        errno == ENOSPC || errno == EDQUOT
            ? MediaError("the media disk is full", isDiskFull: true)
            : MediaError("\(path): \(unsafe String(cString: strerror(errno)))")
    }
}
