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

    /// For how long writes are gathered after some were read.
    private static let pause = DispatchTimeInterval.milliseconds(2)

    /// - Parameters:
    ///   - names: the files of interest, without the directory.
    /// - Throws: `DirectoryWatchError` when the kernel grants no watch.
    init(directory: String, names: Set<String>) throws {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { throw DirectoryWatchError(code: errno) }
        let mask = UInt32(IN_MODIFY) | UInt32(IN_CREATE) | UInt32(IN_MOVED_TO)
        guard unsafe inotify_add_watch(descriptor, directory, mask) >= 0 else {
            let code = errno
            close(descriptor)
            throw DirectoryWatchError(code: code)
        }
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
        source.setEventHandler {
            if Self.drain(descriptor, names: names) { continuation.yield() }
            // The first of many writes is told at once. The others, most of them promptd's own, are then read together.
            source.suspend()
            DispatchQueue.global().asyncAfter(deadline: .now() + Self.pause) { source.resume() }
        }
        source.setCancelHandler { close(descriptor) }
        continuation.onTermination = { _ in source.cancel() }
        source.activate()
        changes = stream
    }

    /// Reads all events that wait; whether one was for a file of interest, or some were lost.
    private static func drain(_ descriptor: Int32, names: Set<String>) -> Bool {
        var found = false
        var buffer = [UInt8](repeating: 0, count: 16 * 1_024)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return found }
            // struct inotify_event: wd, mask, cookie, len (four bytes each), then the name, padded with zeroes.
            var offset = 0
            while offset + 16 <= count {
                let mask = word(buffer, at: offset + 4)
                let length = Int(word(buffer, at: offset + 12))
                let name = String(
                    decoding: buffer[offset + 16..<min(offset + 16 + length, count)].prefix { $0 != 0 },
                    as: UTF8.self
                )
                if names.contains(name) || mask & UInt32(IN_Q_OVERFLOW) != 0 { found = true }
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
