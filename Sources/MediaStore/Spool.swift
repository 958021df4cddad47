import Glibc
package import PromptQueue

/// Where files wait that are to be uploaded: beside the database, each under the SHA-256 of its bytes. Of a database on a server they
/// wait in the media directory.
///
/// Whoever may add jobs may add files; whoever reads them checks that they are what their names say.
package struct Spool: Sendable {
    package let directory: String

    /// How often a lock is tried that another program holds, a tenth of a second apart.
    package static let lockTries = 50

    /// - Parameter database: its file. What it is a link to has its spool beside it, as SQLite has its other files.
    package init(database: String) {
        var path = database
        if let whole = unsafe realpath(database, nil) {
            path = unsafe String(cString: whole)
            unsafe free(whole)
        }
        directory = path + "-uploads"
    }

    /// Beside a file; of a database on a server within the media directory, which all its daemons and commands have in common.
    package init(of place: DatabasePlace, media: String) {
        switch place {
        case .file(let path): self.init(database: path)
        case .postgres: self.init(directory: media + (media.hasSuffix("/") ? "" : "/") + ".promptd-uploads")
        }
    }

    private init(directory: String) { self.directory = directory }

    /// A file's reference, as inputs have it.
    package static func reference(to file: LocalFile) -> String {
        "upload:\(file.sha256).\(file.type.fileExtension)"
    }

    /// Copies a file in, synced; if it is there already, it counts as new, and if something else is there, it takes its place.
    package func add(_ file: LocalFile, lockTries: Int = Spool.lockTries) throws(LocalFile.Problem) {
        try make()
        let folder = unsafe Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw LocalFile.Problem(code: errno, directory) }
        defer { close(folder) }
        let name = "\(file.sha256).\(file.type.fileExtension)"
        let path = "\(directory)/\(name)"
        // Whoever removes what is old has looked at its age under the other lock.
        let isThere = try whileLocked(folder, lockTries) {
            unsafe utimensat(AT_FDCWD, path, nil, AT_SYMLINK_NOFOLLOW) == 0
        }
        if isThere, try isWhole(name) { return }
        let partial = "\(directory)/.\(name).\(getpid())"
        unsafe unlink(partial)
        do throws(LocalFile.Problem) {
            try copy(file, to: partial)
            // Whoever removes what is wrong has looked at its bytes under the other lock.
            let code = try whileLocked(folder, lockTries) { unsafe rename(partial, path) == 0 ? 0 : errno }
            guard code == 0 else { throw LocalFile.Problem(code: code, path) }
        } catch {
            unsafe unlink(partial)
            throw error
        }
        guard fsync(folder) == 0 else { throw LocalFile.Problem(code: errno, directory) }
    }

    /// Whether what is there can be read and is what its name says.
    private func isWhole(_ name: String) throws(LocalFile.Problem) -> Bool {
        do throws(LocalFile.Problem) { _ = try open(name) } catch {
            guard !error.isPassing else { throw error }
            return false
        }
        return true
    }

    /// Holds off removals meanwhile. Anybody who may open the directory may hold a lock for ever: nobody waits for that.
    private func whileLocked<Value>(
        _ folder: Int32,
        _ tries: Int,
        _ body: () -> Value
    ) throws(LocalFile.Problem) -> Value {
        var rest = tries
        while flock(folder, LOCK_SH | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK else { throw LocalFile.Problem(code: errno, directory) }
            rest -= 1
            guard rest > 0 else {
                throw LocalFile.Problem(
                    "\(directory): another program holds a lock on this directory; end it (fuser -v shows which), and try again",
                    isPassing: true,
                    isSystem: true
                )
            }
            usleep(100_000)
        }
        defer { flock(folder, LOCK_UN) }
        return body()
    }

    private func copy(_ file: LocalFile, to partial: String) throws(LocalFile.Problem) {
        let descriptor = unsafe Glibc.open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw LocalFile.Problem(code: errno, partial) }
        defer { close(descriptor) }
        // Whatever the umask says: the daemon reads it by its group.
        guard fchmod(descriptor, isShared ? 0o640 : 0o600) == 0 else { throw LocalFile.Problem(code: errno, partial) }
        let next = file.reader()
        var offset: Int64 = 0
        while true {
            let chunk = try next(offset)
            if chunk.isEmpty { break }
            try write(chunk, descriptor, partial)
            offset += Int64(chunk.count)
        }
        guard fsync(descriptor) == 0 else { throw LocalFile.Problem(code: errno, partial) }
    }

    /// A file that was put in; its bytes are what its name says.
    package func open(_ name: String) throws(LocalFile.Problem) -> LocalFile {
        guard LocalFileReference.isSpoolName(name) else { throw LocalFile.Problem("\(name): is no name of the spool") }
        let file = try LocalFile.open(name, in: directory)
        guard name == "\(file.sha256).\(file.type.fileExtension)" else {
            throw LocalFile.Problem("\(directory)/\(name): is not what was put there")
        }
        return file
    }

    /// The names of files that nobody has put in for a while, and of what was not finished.
    package func names(untouchedFor seconds: Int64, now: Int64) -> [String] {
        guard let stream = unsafe opendir(directory) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let isPartial =
                name.hasPrefix(".")
                && LocalFileReference.isSpoolName(String(name.dropFirst().prefix { $0 != "." }) + ".x")
            guard isPartial || LocalFileReference.isSpoolName(name) else { continue }
            if isOld(name, than: seconds, now) { names.append(name) }
        }
        return names
    }

    /// Removes a file, unless somebody has put it in again meanwhile.
    ///
    /// - Returns: false if another program holds a lock on the directory; nothing was looked at.
    package func remove(_ name: String, untouchedFor seconds: Int64, now: Int64) -> Bool {
        whileAlone {
            if isOld(name, than: seconds, now) { unsafe unlink("\(directory)/\(name)") }
            return true
        } ?? false
    }

    /// Removes a file whose bytes are not what its name says, so that the next one under that name is copied in again.
    ///
    /// - Returns: whether it was removed. Not if somebody has put it right meanwhile, or another program holds a lock.
    package func removeWrong(_ name: String) -> Bool {
        whileAlone {
            do throws(LocalFile.Problem) { _ = try open(name) } catch {
                guard !error.isPassing, !error.isSystem else { return false }
                return unsafe unlink("\(directory)/\(name)") == 0
            }
            return false
        } ?? false
    }

    /// Nil, and nothing is done, if another program holds a lock on the directory.
    private func whileAlone<Value>(_ body: () -> Value) -> Value? {
        let folder = unsafe Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return nil }
        defer { close(folder) }
        guard flock(folder, LOCK_EX | LOCK_NB) == 0 else { return nil }
        return body()
    }

    private func isOld(_ name: String, than seconds: Int64, _ now: Int64) -> Bool {
        var status = stat()
        return unsafe lstat("\(directory)/\(name)", &status) == 0 && now - Int64(status.st_mtim.tv_sec) > seconds
    }

    // MARK: - The directory

    /// Whether the database's directory is its group's, too.
    private var isShared: Bool {
        var status = stat()
        let parent = FilePathParts.split(directory).directory
        return unsafe stat(parent, &status) == 0 && status.st_mode & 0o070 == 0o070
    }

    private func make() throws(LocalFile.Problem) {
        var status = stat()
        if unsafe lstat(directory, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw LocalFile.Problem("\(directory): is no directory") }
            return
        }
        guard unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw LocalFile.Problem(code: errno, directory)
        }
        // The set-group-ID bit keeps what is made in it in the group.
        if isShared { unsafe chmod(directory, 0o2770) }
    }

    private func write(_ bytes: [UInt8], _ descriptor: Int32, _ path: String) throws(LocalFile.Problem) {
        var offset = 0
        while offset < bytes.count {
            let written = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress.map { unsafe $0 + offset }, $0.count - offset)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw LocalFile.Problem(code: written == 0 ? EIO : errno, path) }
            offset += written
        }
    }
}
