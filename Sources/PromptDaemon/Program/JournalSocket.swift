import FoundationEssentials
import Glibc
import Logging
import PromptQueue

/// The journal's own socket: entries with fields, so that `journalctl JOB_ID=12` finds what concerns a job
/// (https://systemd.io/JOURNAL_NATIVE_PROTOCOL).
final class JournalSocket: Sendable {
    static let standardPath = "/run/systemd/journal/socket"

    private let descriptor: Int32

    /// - Returns: nil if nobody listens there.
    init?(path: String = standardPath) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let connected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, length) }
        }
        guard connected == 0 else {
            close(descriptor)
            return nil
        }
        // A journal that does not read holds nothing up for longer.
        let patience: [Int] = [1, 0]  // A timeval: seconds and microseconds.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, patience, socklen_t(2 * MemoryLayout<Int>.size))
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Whether standard error goes to the journal: `JOURNAL_STREAM` names its device and inode (systemd.exec(5)), and the
    /// descriptor is a link to `socket:[INODE]` (proc_pid_fd(5)).
    static func takesStandardError(
        _ environment: [String: String],
        descriptors: String = "/proc/self/fd"
    ) -> Bool {
        guard let inode = environment["JOURNAL_STREAM"]?.split(separator: ":").last,
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(descriptors)/2")
        else { return false }
        return target == "socket:[\(inode)]"
    }

    /// - Parameters:
    ///   - text: what `journalctl` shows; without line feeds.
    ///   - values: by the names of the log's metadata, `job.id` for the field `JOB_ID`.
    /// - Returns: whether the journal took it.
    func send(_ level: Logger.Level, _ text: String, _ values: [(key: String, value: String)]) -> Bool {
        let entry = Self.entry(level, text, values)
        let count = unsafe entry.withUnsafeBytes {
            unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        return count == entry.count
    }

    /// An entry as it goes over the socket.
    static func entry(_ level: Logger.Level, _ text: String, _ values: [(key: String, value: String)]) -> [UInt8] {
        var entry: [UInt8] = []
        append("MESSAGE", text, to: &entry)
        append("PRIORITY", "\(priority(level))", to: &entry)
        append("SYSLOG_IDENTIFIER", "promptd", to: &entry)
        for (key, value) in values { append(field(key), BoundedText.message(value), to: &entry) }
        return entry
    }

    /// `KEY=value`; what has line feeds goes with its length in front, so that no text makes a field of its own.
    private static func append(_ name: String, _ value: String, to entry: inout [UInt8]) {
        let bytes = Array(value.utf8)
        entry += name.utf8
        if bytes.contains(UInt8(ascii: "\n")) {
            entry.append(UInt8(ascii: "\n"))
            let count = UInt64(bytes.count)
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                entry.append(UInt8(truncatingIfNeeded: count >> shift))
            }
        } else {
            entry.append(UInt8(ascii: "="))
        }
        entry += bytes
        entry.append(UInt8(ascii: "\n"))
    }

    /// `job.id` is `JOB_ID`; `code` is `ERROR_CODE`, as in the database.
    private static func field(_ key: String) -> String {
        if key == "code" { return "ERROR_CODE" }
        let name = String(
            key.uppercased().unicodeScalars.map { scalar in
                ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar) ? Character(scalar) : "_"
            }
        )
        // Names that begin otherwise are the journal's own, or none.
        return name.first.map { $0.isLetter } == true ? name : "FIELD" + name
    }

    /// syslog(3).
    static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
