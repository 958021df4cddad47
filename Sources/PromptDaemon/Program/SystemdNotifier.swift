import Glibc
import Synchronization

/// Tells systemd how the service stands: `sd_notify(3)` is a datagram to the socket in `NOTIFY_SOCKET`.
struct SystemdNotifier: Sendable {
    private let socketPath: String?
    private let ready = Flag()

    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    /// Whether systemd was told that the service works.
    var hasBeenReady: Bool { ready.isSet.load(ordering: .relaxed) }

    /// The unit's WatchdogSec in microseconds; nil: none.
    private let watchdog: String?

    init(environment: [String: String]) {
        watchdog = environment["WATCHDOG_USEC"].flatMap { UInt64($0) == nil ? nil : $0 }
        socketPath = environment["NOTIFY_SOCKET"].flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
    }

    /// Gives the next step a quarter of an hour before the watchdog strikes (sd_notify(3), WATCHDOG_USEC).
    func stretchWatchdog() {
        if watchdog != nil { send("WATCHDOG_USEC=900000000") }
    }

    /// As the unit has it again.
    func restoreWatchdog() {
        if let watchdog { send("WATCHDOG_USEC=\(watchdog)") }
    }

    /// Whether anybody listens.
    var isUsed: Bool { socketPath != nil }

    /// Sends `READY=1`, `STOPPING=1`, `STATUS=…`, `RELOADING=1` or `WATCHDOG=1`; without systemd it does nothing.
    func send(_ state: String) {
        if state.hasPrefix("READY=1") { ready.isSet.store(true, ordering: .relaxed) }
        guard let socketPath else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(socketPath.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < capacity else { return }
        // An abstract socket's name starts with a zero byte.
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // A manager that does not read holds nothing up for longer (a socket takes some ten messages).
        let patience: [Int] = [5, 0]  // A timeval: seconds and microseconds.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, patience, socklen_t(2 * MemoryLayout<Int>.size))
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let message = Array(state.utf8)
        _ = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe message.withUnsafeBytes {
                    unsafe sendto(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL), address, length)
                }
            }
        }
    }
}
