import Glibc

/// Which addresses are not on the public internet.
package enum AddressRange {
    package static func isLoopback(host: String) -> Bool {
        host == "localhost" || isLoopback(address: host)
    }

    /// - Parameter address: an IPv4 or IPv6 address as text.
    package static func isLoopback(address: String) -> Bool {
        let bytes = bytes(of: address)
        if bytes.count == 4 { return bytes[0] == 127 }
        return bytes == [UInt8](repeating: 0, count: 15) + [1]
    }

    /// Public and unicast: not loopback, private, link-local, shared, multicast, documentation or reserved
    /// (IANA's special-purpose address registries, RFC 6890).
    package static func isPublic(address: String) -> Bool {
        let bytes = bytes(of: address)
        if bytes.count == 4 { return isPublic4(bytes) }
        guard bytes.count == 16 else { return false }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        if bytes.starts(with: mapped) { return isPublic4(Array(bytes[12...])) }
        // NAT64 reaches IPv4 addresses, private ones included (RFC 6052); the prefix for local use, 64:ff9b:1::/48, is
        // not public at all (RFC 8215).
        if bytes.starts(with: [0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]) {
            return isPublic4(Array(bytes[12...]))
        }
        // Only 2000::/3 is global unicast; of it, 2001::/23 is for protocols (Teredo wraps IPv4), 2001:db8::/32 and
        // 3fff::/20 are for documentation, and 2002::/16 wraps IPv4.
        guard bytes[0] & 0xE0 == 0x20 else { return false }
        if bytes.starts(with: [0x20, 0x01]), bytes[2] < 2 { return false }
        if bytes.starts(with: [0x20, 0x01, 0x0D, 0xB8]) { return false }
        if bytes.starts(with: [0x3F, 0xFF]), bytes[2] < 0x10 { return false }
        if bytes.starts(with: [0x20, 0x02]) { return isPublic4(Array(bytes[2..<6])) }
        return true
    }

    private static func isPublic4(_ bytes: [UInt8]) -> Bool {
        switch (bytes[0], bytes[1]) {
        case (0, _), (10, _), (127, _), (224..., _): false
        case (100, 64...127), (169, 254), (172, 16...31), (192, 168), (198, 18...19): false
        case (192, 0): bytes[2] != 0 && bytes[2] != 2
        // The relay of 6to4 (RFC 7526); the host of virtual machines at Azure, public by its number only.
        case (192, 88): bytes[2] != 99
        case (168, 63): bytes[2...] != [129, 16]
        case (198, 51): bytes[2] != 100
        case (203, 0): bytes[2] != 113
        default: true
        }
    }

    /// Four or sixteen bytes; none for what is not an address.
    private static func bytes(of address: String) -> [UInt8] {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if unsafe inet_pton(family, address, &bytes) == 1 { return bytes }
        }
        return []
    }
}
