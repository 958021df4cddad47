import Glibc

/// The system's resolver.
enum HostAddresses {
    /// The host has no address, or nobody could tell.
    struct Unresolved: Error {}

    /// All addresses of a host, as text, those to be preferred first (getaddrinfo(3)). Blocks.
    static func resolve(_ host: String) throws -> [String] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, nil, &hints, &list) == 0 else { throw Unresolved() }
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
            guard code == 0 else { throw Unresolved() }
            // A scope, as in fe80::1%eth0, is no part of the address.
            found.append(
                String(decoding: name.prefix { $0 != 0 && $0 != 37 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            )
            unsafe next = entry.pointee.ai_next
        }
        return found
    }
}
