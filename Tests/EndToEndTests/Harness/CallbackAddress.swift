import Foundation
import FoundationNetworking
import Testing

/// Where a daemon under test listens for callbacks.
struct CallbackAddress {
    let port: UInt16

    /// An address that is free now.
    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        try #require(isBound)
        port = UInt16(bigEndian: address.sin_port)
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// The settings of a daemon that is called back here.
    ///
    /// - Parameter publicURL: where the provider reaches it, if that is another address.
    func settings(key: String = "", publicURL: String? = nil) -> [String: String] {
        [
            "PROMPTD_CALLBACKS_PUBLIC_URL": publicURL ?? url, "PROMPTD_CALLBACKS_LISTEN": "127.0.0.1:\(port)",
            "KIE_WEBHOOK_HMAC_KEY": key,
        ]
    }

    /// Sends a request and returns its status.
    func status(
        _ method: String,
        _ path: String,
        _ headers: [String: String] = [:],
        body: String? = nil
    ) async throws -> Int {
        var request = URLRequest(url: try #require(URL(string: url + path)))
        request.httpMethod = method
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        request.httpBody = body.map { Data($0.utf8) }
        let (_, response) = try await URLSession.shared.data(for: request)
        return try #require((response as? HTTPURLResponse)?.statusCode)
    }
}

extension Stage {
    /// The page at `url`.
    func page(_ url: String) async throws -> String {
        let (data, _) = try await URLSession.shared.data(from: try #require(URL(string: url)))
        return String(decoding: data, as: UTF8.self)
    }
}
