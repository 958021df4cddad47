import NIOCore
import NIOPosix

/// Which URLs may be fetched: whoever controls an answer of the provider must not reach this machine's network.
struct URLPolicy: Sendable {
    /// Plain HTTP and loopback addresses, for the sandbox.
    var allowsLoopback: Bool
    var maximumBytes: Int64 = 4 << 30

    /// Why a URL is refused; nil if it may be fetched.
    func refusal(of text: String) async -> String? {
        guard let parts = URLParts(text) else { return "the result's URL is malformed" }
        guard parts.scheme == "https" || (parts.scheme == "http" && allowsLoopback) else {
            return "the result's URL has the scheme \(parts.scheme); https is allowed"
        }
        let addresses: [String]
        do {
            addresses = try await Self.resolve(parts.host)
        } catch {
            // The fetch itself will fail, and be tried again.
            return nil
        }
        for address in addresses {
            if allowsLoopback, AddressRange.isLoopback(address: address) { continue }
            guard AddressRange.isPublic(address: address) else {
                return "the result's URL leads to \(address) in a private network"
            }
        }
        return nil
    }

    private static func resolve(_ host: String) async throws -> [String] {
        if let address = try? SocketAddress(ipAddress: host, port: 0) { return [address.ipAddress].compactMap(\.self) }
        return try await NIOThreadPool.singleton.runIfActive {
            [try SocketAddress.makeAddressResolvingHost(host, port: 0).ipAddress].compactMap(\.self)
        }
    }
}
