import FoundationEssentials
import Glibc
package import PromptQueue
import Synchronization
import SystemPackage

/// Keeps a second daemon off the same database, under whatever name: an `flock` on the database file itself, which goes by
/// device and inode, so that neither a link to it, nor another mount, nor a deleted lock file gets around it.
///
/// Closing any descriptor of the file drops SQLite's own POSIX locks of this process
/// (https://sqlite.org/howtocorrupt.html, section 2.2): this one is opened before SQLite opens the file, and has to be kept
/// until SQLite has closed it. `DATABASE.lock` beside it holds the pid, and keeps off versions that know only that.
package final class OwnerLock: LedgerLock {
    private let database: Int32
    private let beside: Int32

    /// Makes the database file if there is none.
    ///
    /// - Throws: `LedgerHeld` when another process has it; `LedgerError` when a file cannot be opened or locked.
    package init(database path: String) throws {
        UnfinishedReplacement.undo(path)
        let real = try DatabasePath.resolve(path)
        database = try DatabasePath.open(real)
        do {
            try Self.lock(database, path) { Self.holder(database: path) }
            beside = unsafe Glibc.open(real + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        } catch {
            Glibc.close(database)
            throw error
        }
        guard beside >= 0 else {
            let code = errno
            Glibc.close(database)
            throw LedgerError(.permission, "\(real).lock: cannot be made: \(Errno(rawValue: code))")
        }
        do {
            try Self.lock(beside, real + ".lock") { [beside] in Self.readProcessID(beside) }
        } catch {
            Glibc.close(beside)
            Glibc.close(database)
            throw error
        }
        Self.giveAway(beside, like: real)
        ftruncate(beside, 0)
        let text = Array("\(getpid())\n".utf8)
        _ = unsafe text.withUnsafeBytes { unsafe pwrite(beside, $0.baseAddress, $0.count, 0) }
    }

    /// Made by root, it must not keep promptd's own user out.
    private static func giveAway(_ descriptor: Int32, like path: String) {
        var status = stat()
        guard geteuid() == 0, unsafe stat(path, &status) == 0 else { return }
        _ = fchown(descriptor, status.st_uid, status.st_gid)
    }

    deinit {
        Glibc.close(beside)
        Glibc.close(database)
    }

    private static func lock(_ descriptor: Int32, _ path: String, holder: () -> Int32?) throws {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            guard code == EWOULDBLOCK else {
                throw LedgerError(.inputOutput, "\(path): cannot be locked: \(Errno(rawValue: code))")
            }
            throw LedgerHeld(processID: holder())
        }
    }

    /// The pid of the daemon that works on a database now; nil if none does. It opens nothing that SQLite may have open.
    package static func holder(database path: String) -> Int32? {
        let real = (try? DatabasePath.resolve(path)) ?? path
        let descriptor = unsafe Glibc.open(real + ".lock", O_RDONLY | O_CLOEXEC)
        if descriptor >= 0 {
            defer { Glibc.close(descriptor) }
            if flock(descriptor, LOCK_SH | LOCK_NB) != 0 { return readProcessID(descriptor) }
        }
        // Somebody may have deleted that file.
        var status = stat()
        guard unsafe stat(real, &status) == 0 else { return nil }
        for _ in 0..<5 {
            if let holder = holder(inode: status.st_ino) { return holder }
        }
        return nil
    }

    /// Whom the kernel's list of locks names (proc_locks(5)). It is read a page at a time: what stands in it may be missed
    /// while others lock and unlock.
    private static func holder(inode: ino_t) -> Int32? {
        for line in kernelLocks().split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 5, words[1] == "FLOCK", words[5].hasSuffix(":\(inode)") else { continue }
            return Int32(words[4])
        }
        return nil
    }

    /// `/proc/locks`, whole: Foundation reads no more than 8 KiB of a file that has no length.
    private static func kernelLocks() -> String {
        let descriptor = unsafe Glibc.open("/proc/locks", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { Glibc.close(descriptor) }
        var text: [UInt8] = []
        var page = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe page.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += page[..<count]
        }
    }

    private static func readProcessID(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes.prefix(count), as: UTF8.self).prefix { $0.isNumber })
    }
}

/// Under which name a database is used, and what a new one may be read by.
package enum DatabasePath {
    /// The path behind symbolic links: SQLite names its files beside the database after that one, too. The file need not
    /// be there.
    ///
    /// - Throws: `LedgerError` with code `unusable` for a file with further hard links.
    package static func resolve(_ path: String) throws(LedgerError) -> String {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return path }
        guard status.st_nlink <= 1 else {
            throw LedgerError(
                .unusable,
                "\(path): has \(status.st_nlink) hard links; SQLite keeps its log beside the name that is used, so two names "
                    + "would mean two logs for one file (https://sqlite.org/howtocorrupt.html). Remove the others, or copy it"
            )
        }
        guard let real = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }

    /// Makes an empty database file if there is none, as one that nobody else may read: prompts stand in it. Where the
    /// directory hands its group on (the set-group-ID bit), the group may read and write, since it is there to enqueue.
    ///
    /// SQLite itself makes it with 0644, whatever else is said, and the files beside it with the database's own mode.
    package static func make(_ path: String) throws(LedgerError) {
        close(try open(path))
    }

    package static func open(_ path: String) throws(LedgerError) -> Int32 {
        var status = stat()
        let isThere = unsafe stat(path, &status) == 0
        let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw LedgerError(.permission, "\(path): cannot be opened: \(Errno(rawValue: errno))")
        }
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let directory = slash == path.startIndex ? "." : String(path[..<slash])
        if !isThere, unsafe stat(directory, &status) == 0, status.st_mode & S_ISGID != 0 { fchmod(descriptor, 0o660) }
        return descriptor
    }
}
