import Glibc
import PromptQueue
import Testing

@testable import KieAPI

/// What becomes of a request that was given up.
@Suite(.timeLimit(.minutes(5))) struct AbortedConnectionTests {
    /// A listening socket of the kernel's alone, so that its end of the connection can be looked at.
    private struct Listener {
        let descriptor: Int32
        let port: UInt16

        init() throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let socket = descriptor
            let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                    unsafe bind(socket, raw, length) == 0 && listen(socket, 8) == 0
                        && getsockname(socket, raw, &length) == 0
                }
            }
            try #require(isBound)
            port = UInt16(bigEndian: address.sin_port)
        }

        func accept() -> Int32 { Glibc.accept(descriptor, nil, nil) }
    }

    @Test func `a request that is given up is cut off by a reset, so that nothing of it is delivered later`()
        async throws
    {
        let listener = try Listener()
        defer { close(listener.descriptor) }
        var settings = KieSettings(baseURL: "http://127.0.0.1:\(listener.port)")
        settings.answerTimeout = .milliseconds(300)
        let client = KieClient(settings, key: Secret("k"))
        let outcome = await client.createTask(model: "m", input: ["prompt": "x"], callbackURL: nil)
        guard case .unknown = outcome else {
            Issue.record("\(outcome)")
            return
        }
        let connection = listener.accept()
        defer { close(connection) }
        // Reads what came, up to the end: an orderly one is 0, a reset an error.
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var count = 1
        while count > 0 {
            count = unsafe bytes.withUnsafeMutableBytes { unsafe read(connection, $0.baseAddress, $0.count) }
        }
        #expect(count == -1)
        #expect(errno == ECONNRESET)
        try await client.shutdown()
    }
}
