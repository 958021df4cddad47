import FoundationEssentials
import Glibc
import PromptQueue
import Synchronization
package import SystemPackage

/// The number of the last request, outside the database: a copy that takes the database's place is older than these, or belongs to
/// another branch of its history.
///
/// Written before a request is sent. It has to outlive the process, and a copy that somebody puts in place, not a power failure:
/// only the first writing of a start is synced. Each file has a fixed length, so that a full disk does not matter, and knows its
/// own inode: one that was copied along with a database says nothing.
package final class RequestMarks: Sendable {
    /// What one says.
    package struct Mark: Equatable, Sendable {
        /// Renewed whenever a copy is found: two databases that went on from one never share it.
        package var branch: String
        package var attempt: Int64
        package var job: Int64

        package init(branch: String, attempt: Int64, job: Int64) {
            self.branch = branch
            self.attempt = attempt
            self.job = job
        }
    }

    private static let magic = "promptd requests 1"
    private static let length = 256

    private let databaseID: String
    private let paths: [String]
    /// What was found, of this database.
    package let found: [Mark]
    /// What is in the way of reading some of them.
    package let problems: [String]
    private let state = Mutex((descriptors: [Int32](), last: Mark?.none))

    package init(_ paths: [String], databaseID: String) {
        self.databaseID = databaseID
        self.paths = paths
        var found: [Mark] = []
        var problems: [String] = []
        for path in paths {
            do throws(Errno) {
                if let mark = try Self.read(path, databaseID) { found.append(mark) }
            } catch {
                problems.append("\(path): cannot be read: \(error)")
            }
        }
        self.found = found
        self.problems = problems
    }

    deinit { state.withLock { for descriptor in $0.descriptors { close(descriptor) } } }

    /// Writes all of them and waits until they are on disk, with their names.
    ///
    /// - Returns: what kept some of them from being written.
    package func begin(_ mark: Mark) -> [String] {
        state.withLock { state in
            state.last = mark
            var problems: [String] = []
            for path in paths {
                let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
                guard descriptor >= 0 else {
                    problems.append("\(path): cannot be made: \(Errno(rawValue: errno))")
                    continue
                }
                guard write(mark, to: descriptor), fsync(descriptor) == 0, Self.syncDirectory(of: path) else {
                    problems.append("\(path): cannot be written: \(Errno(rawValue: errno))")
                    close(descriptor)
                    continue
                }
                state.descriptors.append(descriptor)
            }
            return problems
        }
    }

    /// Notes a request and its job, unless later ones are noted already.
    package func note(attempt: Int64, job: Int64) {
        state.withLock { state in
            guard var mark = state.last, attempt > mark.attempt || job > mark.job else { return }
            mark.attempt = max(mark.attempt, attempt)
            mark.job = max(mark.job, job)
            state.last = mark
            for descriptor in state.descriptors { _ = write(mark, to: descriptor) }
        }
    }

    /// Notes another mark.
    package func replace(_ mark: Mark) {
        state.withLock { state in
            state.last = mark
            for descriptor in state.descriptors { _ = write(mark, to: descriptor) }
        }
    }

    private func write(_ mark: Mark, to descriptor: Int32) -> Bool {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return false }
        var text = Array(
            "\(Self.magic)\n\(databaseID)\n\(status.st_ino)\n\(mark.branch)\n\(mark.attempt)\n\(mark.job)\n".utf8
        )
        text += [UInt8](repeating: UInt8(ascii: " "), count: max(0, Self.length - text.count - 1)) + [0x0A]
        return unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) } == text.count
    }

    /// - Returns: nil if there is none, or none of this database that was written in its place.
    /// - Throws: why it cannot be told.
    package static func read(_ path: String, _ databaseID: String) throws(Errno) -> Mark? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Errno(rawValue: errno)
        }
        defer { close(descriptor) }
        var status = stat()
        var bytes = [UInt8](repeating: 0, count: length)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count >= 0, unsafe fstat(descriptor, &status) == 0 else { throw Errno(rawValue: errno) }
        let lines = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.count >= 6, lines[0] == magic, lines[1] == databaseID, lines[2] == "\(status.st_ino)",
            let attempt = Int64(lines[4]), let job = Int64(lines[5]), attempt >= 0, job >= 0
        else { return nil }
        return Mark(branch: lines[3], attempt: attempt, job: job)
    }

    /// A file system that cannot sync a directory keeps its names in another way, or not at all.
    private static func syncDirectory(of path: String) -> Bool {
        let directory = FilePathParts.split(path).directory
        let descriptor = unsafe open(directory, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP
    }
}
