import Glibc
import PromptQueue
import Synchronization

/// Keeps a second daemon off the same database: an `flock` on `DATABASE.lock`, which the kernel drops with the process.
///
/// The database file itself is never opened for this: closing any descriptor of it would drop SQLite's own POSIX locks
/// (https://sqlite.org/howtocorrupt.html, section 2.2).
package final class OwnerLock: Sendable {
    package struct Held: Error, Sendable, CustomStringConvertible {
        package var processID: Int32?
        package var description: String {
            let holder = processID.map { "pid \($0)" } ?? "another process"
            return "another promptd (\(holder)) works on this database; stop it first, or use a database of your own"
        }
    }

    private let descriptor: Int32

    /// - Throws: `Held` when another process has it; `LedgerError` when the lock file cannot be made.
    package init(database path: String) throws {
        let lockPath = path + ".lock"
        descriptor = unsafe Glibc.open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw LedgerError(.permission, "\(lockPath): cannot be made: \(Self.reason(errno))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            let holder = Self.readProcessID(descriptor)
            Glibc.close(descriptor)
            guard code == EWOULDBLOCK else {
                throw LedgerError(.inputOutput, "\(lockPath): cannot be locked: \(Self.reason(code))")
            }
            throw Held(processID: holder)
        }
        ftruncate(descriptor, 0)
        let text = Array("\(getpid())\n".utf8)
        _ = unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    deinit {
        Glibc.close(descriptor)
    }

    /// The pid of the daemon that works on a database now; nil if none does.
    package static func holder(database path: String) -> Int32? {
        let descriptor = unsafe Glibc.open(path + ".lock", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { Glibc.close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0 else { return nil }
        return readProcessID(descriptor)
    }

    private static func readProcessID(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes.prefix(count), as: UTF8.self).prefix { $0.isNumber })
    }

    private static func reason(_ code: Int32) -> String {
        unsafe String(cString: strerror(code))
    }
}
