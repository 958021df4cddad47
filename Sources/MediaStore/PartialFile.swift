import Crypto
import FoundationEssentials
import Glibc

/// A file that is being written. Unless it is finished it is removed, or kept to be continued.
struct PartialFile: ~Copyable {
    /// Of the name of the note about a half-written file.
    static let noteSuffix = ".json"
    private static let readBytes = 1 << 20

    private let path: String
    private let descriptor: Int32
    /// Whether what is there stays, to be continued, when the file is given up.
    private var staysForResumption = false
    private var hash = SHA256()
    private(set) var count: Int64 = 0
    private(set) var head: [UInt8] = []

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    /// Starts again.
    static func begin(path: String, source: PartialSource?) throws(MediaError) -> PartialFile {
        // The note of an older try goes before its bytes do: it must never speak of others.
        unsafe unlink(path + noteSuffix)
        let flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
        let descriptor = unsafe open(path, flags, 0o644)
        guard descriptor >= 0 else { throw MediaError(code: errno, at: path) }
        var file = PartialFile(path: path, descriptor: descriptor)
        if let source, source.validator != nil, source.bootID != nil { try file.writeNote(source) }
        return file
    }

    /// Continues: what is there is read and hashed first.
    static func resume(path: String, at point: ResumePoint) throws(MediaError) -> PartialFile {
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw MediaError(code: errno, at: path) }
        var file = PartialFile(path: path, descriptor: descriptor)
        var bytes = try read(descriptor, path)
        while !bytes.isEmpty {
            file.take(bytes)
            bytes = try read(descriptor, path)
        }
        guard file.count == point.offset else { throw MediaError("\(path): has changed") }
        file.staysForResumption = true
        return file
    }

    mutating func write(_ bytes: [UInt8]) throws(MediaError) {
        do throws(MediaError) {
            try Self.write(bytes, to: descriptor, path)
        } catch {
            // A full disk is not to be kept full by what cannot be finished.
            staysForResumption = false
            throw error
        }
        take(bytes)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(MediaError) {
        var offset = 0
        while offset < bytes.count {
            let written = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress.map { unsafe $0 + offset }, $0.count - offset)
            }
            if written < 0, errno == EINTR { continue }
            // A write of nothing sets no errno (write(2)).
            guard written > 0 else { throw MediaError(code: written == 0 ? EIO : errno, at: path) }
            offset += written
        }
    }

    /// What is wrong with the file as one of its kind; nil if nothing is.
    ///
    /// - Parameter url: its result's.
    func problem(url: String) throws(MediaError) -> String? {
        try MediaCheck.problem(head: head, count: count, url: url) { offset, count throws(MediaError) in
            var buffer = [UInt8](repeating: 0, count: Int(count))
            var filled = 0
            while filled < buffer.count {
                let place = off_t(offset) + off_t(filled)
                let read = unsafe buffer.withUnsafeMutableBytes {
                    unsafe pread(descriptor, $0.baseAddress.map { unsafe $0 + filled }, $0.count - filled, place)
                }
                if read < 0, errno == EINTR { continue }
                guard read >= 0 else { throw MediaError(code: errno, at: path) }
                if read == 0 { break }
                filled += read
            }
            return Array(buffer.prefix(filled))
        }
    }

    /// Gives up, and leaves nothing to be continued.
    mutating func discard() {
        staysForResumption = false
    }

    /// Syncs the file and renames it, in place of what had that name.
    consuming func finish(replacing final: String) throws(MediaError) {
        staysForResumption = false
        guard fsync(descriptor) == 0 else { throw MediaError(code: errno, at: path) }
        guard unsafe rename(path, final) == 0 else { throw MediaError(code: errno, at: final) }
    }

    /// Syncs the file and gives it the first of `names` that nothing has, or that a file with the same bytes has. What is
    /// there is never written over: it may have been paid for.
    ///
    /// - Parameter isOwn: whether a file of that name, by its index, can be this one from an earlier try. Another job's
    ///   may have the same bytes, and goes when that job does.
    /// - Returns: the name's index, and the SHA-256 in hexadecimal.
    consuming func finish(
        asOneOf names: [String],
        isOwn: (Int) -> Bool
    ) throws(MediaError) -> (index: Int, sha256: String) {
        staysForResumption = false
        guard fsync(descriptor) == 0 else { throw MediaError(code: errno, at: path) }
        let sha256 = Self.hexadecimal(hash.finalize())
        for (index, name) in names.enumerated() {
            if try Self.move(path, toFree: name) { return (index, sha256) }
            if isOwn(index), try Self.isSame(name, bytes: count, sha256) {
                Self.discard(path: path)
                return (index, sha256)
            }
        }
        throw MediaError("\(names.first ?? path): the name is taken, and so are the others")
    }

    /// False if the name is taken.
    private static func move(_ path: String, toFree name: String) throws(MediaError) -> Bool {
        // Unlike rename(2), link(2) refuses a name that is taken.
        if unsafe link(path, name) == 0 {
            unsafe unlink(path)
            return true
        }
        switch errno {
        case EEXIST:
            return false
        case EPERM, ENOTSUP, EMLINK:
            // A file system without hard links.
            let descriptor = unsafe open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
            guard descriptor >= 0 else {
                if errno == EEXIST { return false }
                throw MediaError(code: errno, at: name)
            }
            close(descriptor)
            guard unsafe rename(path, name) == 0 else { throw MediaError(code: errno, at: name) }
            return true
        default:
            throw MediaError(code: errno, at: name)
        }
    }

    private static func isSame(_ path: String, bytes: Int64, _ sha256: String) throws(MediaError) -> Bool {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, Int64(status.st_size) == bytes else { return false }
        var hash = SHA256()
        var part = try read(descriptor, path)
        while !part.isEmpty {
            hash.update(data: part)
            part = try read(descriptor, path)
        }
        return hexadecimal(hash.finalize()) == sha256
    }

    private static func hexadecimal(_ digest: SHA256.Digest) -> String {
        digest.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    deinit {
        close(descriptor)
        // After `finish` there is nothing of that name any more.
        if !staysForResumption { Self.discard(path: path) }
    }

    // MARK: - To be continued

    static func discard(path: String) {
        unsafe unlink(path + noteSuffix)
        unsafe unlink(path)
    }

    static func resumePoint(path: String, url: String) -> ResumePoint? {
        guard let data = FileManager.default.contents(atPath: path + noteSuffix),
            let source = try? JSONDecoder().decode(PartialSource.self, from: data),
            source.url == url, let validator = source.validator, source.bootID == PartialSource.currentBootID,
            source.bootID != nil
        else { return nil }
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
            return nil
        }
        return ResumePoint(offset: Int64(status.st_size), validator: validator, total: source.total)
    }

    /// Without a note a file is merely not continued.
    private mutating func writeNote(_ source: PartialSource) throws(MediaError) {
        guard let data = try? JSONEncoder().encode(source) else { return }
        let path = path + Self.noteSuffix
        let note = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard note >= 0 else { throw MediaError(code: errno, at: path) }
        defer { close(note) }
        try Self.write(Array(data), to: note, path)
        staysForResumption = true
    }

    private mutating func take(_ bytes: [UInt8]) {
        hash.update(data: bytes)
        if head.count < FileType.sniffedBytes { head += bytes.prefix(FileType.sniffedBytes - head.count) }
        count += Int64(bytes.count)
    }

    private static func read(_ descriptor: Int32, _ path: String) throws(MediaError) -> [UInt8] {
        while true {
            var buffer = [UInt8](repeating: 0, count: readBytes)
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw MediaError(code: errno, at: path) }
            return Array(buffer.prefix(count))
        }
    }
}
