import Foundation
import Synchronization

/// Where systemd would listen (sd_notify(3)): a datagram socket, which keeps what comes until it is read.
final class NotifySocket {
    struct Unusable: Error {
        let errno: Int32
    }

    let path: String
    private let descriptor: Int32
    private let received = Received()

    init(path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Unusable(errno: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0 else { throw Unusable(errno: errno) }
        Thread.detachNewThread { [descriptor, received] in Self.read(descriptor, into: received) }
    }

    deinit {
        // Ends the reader.
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    /// What has come since the last call.
    func messages() -> [String] { received.take() }

    /// Reads all the time, as systemd does: a socket takes some ten messages.
    private static func read(_ descriptor: Int32, into received: Received) {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return }
            received.add(String(decoding: buffer[..<count], as: UTF8.self))
        }
    }
}

private final class Received: Sendable {
    private let texts = Mutex<[String]>([])

    func add(_ text: String) { texts.withLock { $0.append(text) } }

    func take() -> [String] {
        texts.withLock { texts in
            defer { texts = [] }
            return texts
        }
    }
}
