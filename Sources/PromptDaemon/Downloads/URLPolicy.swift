import Glibc
import NIOPosix

/// Which URLs may be fetched: whoever controls an answer of the provider must not reach this machine's network.
struct URLPolicy: Sendable {
    /// Plain HTTP and loopback addresses, for the sandbox.
    var allowsLoopback: Bool
    var maximumBytes: Int64 = 4 << 30

    /// Why a URL is not fetched.
    struct Refusal: Error, Equatable {
        var reason: String
        /// Whether asking again later is pointless.
        var isFinal = true
    }

    /// Why a URL is refused; nil if it may be fetched.
    func refusal(of text: String) async -> Refusal? {
        guard let parts = URLParts(text) else { return Refusal(reason: "the result's URL is malformed") }
        guard parts.scheme == "https" || (parts.scheme == "http" && allowsLoopback) else {
            return Refusal(reason: "the result's URL has the scheme \(parts.scheme); https is allowed")
        }
        let addresses: [String]
        do {
            addresses = try await NIOThreadPool.singleton.runIfActive { try Self.resolve(parts.host) }
        } catch {
            return Refusal(reason: "\(parts.host) cannot be resolved", isFinal: false)
        }
        for address in addresses {
            if allowsLoopback, AddressRange.isLoopback(address: address) { continue }
            guard AddressRange.isPublic(address: address) else {
                return Refusal(reason: "the result's URL leads to \(address) in a private network")
            }
        }
        return nil
    }

    /// All addresses of a host, as text (getaddrinfo(3)). Blocks.
    private static func resolve(_ host: String) throws -> [String] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, nil, &hints, &list) == 0 else { throw Refusal(reason: "no address") }
        defer { unsafe freeaddrinfo(list) }
        var found: [String] = []
        var next = unsafe list
        while let entry = unsafe next {
            var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let length = socklen_t(name.count)
            let code = unsafe getnameinfo(
                entry.pointee.ai_addr,
                entry.pointee.ai_addrlen,
                &name,
                length,
                nil,
                0,
                NI_NUMERICHOST
            )
            guard code == 0 else { throw Refusal(reason: "no address") }
            // A scope, as in fe80::1%eth0, is no part of the address.
            found.append(
                String(decoding: name.prefix { $0 != 0 && $0 != 37 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            )
            unsafe next = entry.pointee.ai_next
        }
        return found
    }
}
