// Dispatch sources are safe to use from any thread, but are not marked so.
@unsafe @preconcurrency import Dispatch
import Glibc
import SystemPackage

/// Tells when files of a directory are written to (inotify(7)).
///
/// The files themselves are never opened: closing a descriptor of a database would drop SQLite's locks on it.
struct DirectoryWatch: Sendable {
    /// An element after one or more writes to one of the files.
    let changes: AsyncStream<Void>

    /// For how long nothing is watched after a write. Most are promptd's own, and each of them would take time for as long as it is
    /// watched.
    private static let pause = DispatchTimeInterval.milliseconds(2)
    /// Until the next try, when the kernel grants no watch again.
    private static let patience = DispatchTimeInterval.seconds(1)

    /// - Parameters:
    ///   - names: the files of interest, without the directory.
    /// - Throws: `DirectoryWatchError` when the kernel grants no watch.
    init(directory: String, names: Set<String>) throws {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { throw DirectoryWatchError(code: errno) }
        guard Self.watch(directory, names, descriptor) else {
            let code = errno
            close(descriptor)
            throw DirectoryWatchError(code: code)
        }
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
        source.setEventHandler {
            let news = Self.drain(descriptor, names: names)
            if news.isOfInterest { continuation.yield() }
            guard news.isOver else { return }
            source.suspend()
            Self.later(Self.pause) {
                // Nobody may wait for it any more.
                guard source.isCancelled || Self.watch(directory, names, descriptor) else { return false }
                // For what was written meanwhile.
                continuation.yield()
                source.resume()
                return true
            }
        }
        source.setCancelHandler { close(descriptor) }
        continuation.onTermination = { _ in source.cancel() }
        source.activate()
        changes = stream
    }

    /// New files, as long as there is the directory; writes to those that are of interest, until the first. Others cost nothing.
    private static func watch(_ directory: String, _ names: Set<String>, _ descriptor: Int32) -> Bool {
        let new = UInt32(IN_CREATE) | UInt32(IN_MOVED_TO)
        guard unsafe inotify_add_watch(descriptor, directory, new) >= 0 else { return false }
        let writes = UInt32(IN_MODIFY) | UInt32(IN_ONESHOT)
        return names.allSatisfy { name in
            unsafe inotify_add_watch(descriptor, "\(directory)/\(name)", writes) >= 0 || errno == ENOENT
        }
    }

    /// Calls `body` after a pause, and again until it says that it is done.
    private static func later(_ pause: DispatchTimeInterval, _ body: @escaping @Sendable () -> Bool) {
        DispatchQueue.global().asyncAfter(deadline: .now() + pause) { if !body() { later(patience, body) } }
    }

    /// Reads all events that wait.
    ///
    /// - Returns: whether one was for a file of interest, or some were lost; and whether there is something to be watched anew.
    private static func drain(_ descriptor: Int32, names: Set<String>) -> (isOfInterest: Bool, isOver: Bool) {
        var news = (isOfInterest: false, isOver: false)
        var buffer = [UInt8](repeating: 0, count: 4 * 1_024)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return news }
            // struct inotify_event: wd, mask, cookie, len (four bytes each), then the name, padded with zeroes.
            var offset = 0
            while offset + 16 <= count {
                let mask = word(buffer, at: offset + 4)
                let length = Int(word(buffer, at: offset + 12))
                let name = String(
                    decoding: buffer[offset + 16..<min(offset + 16 + length, count)].prefix { $0 != 0 },
                    as: UTF8.self
                )
                let isLost = mask & UInt32(IN_Q_OVERFLOW) != 0
                if isLost || names.contains(name) { news = (true, true) }
                if mask & UInt32(IN_MODIFY) != 0 { news.isOfInterest = true }
                if mask & UInt32(IN_IGNORED) != 0 { news.isOver = true }
                offset += 16 + length
            }
        }
    }

    private static func word(_ bytes: [UInt8], at index: Int) -> UInt32 {
        var value: UInt32 = 0
        for offset in (0..<4).reversed() { value = value << 8 | UInt32(bytes[index + offset]) }
        return value
    }
}

struct DirectoryWatchError: Error, CustomStringConvertible {
    var code: Int32
    var description: String { "inotify: \(Errno(rawValue: code))" }
}
