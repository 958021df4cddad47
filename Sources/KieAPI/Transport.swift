import AsyncHTTPClient
import NIOCore
import NIOPosix
import PromptQueue

/// How one HTTP exchange ended.
enum Exchange: Sendable {
    case answered(status: Int, body: [UInt8])
    /// Nothing left this machine.
    case notSent(String)
    /// The request may have arrived; no whole answer came.
    case lost(String)
}

/// Which errors of the HTTP client prove that no request left.
enum TransportError {
    static func isNotSent(_ error: any Error) -> Bool {
        if error is NIOConnectionError { return true }
        if let error = error as? IOError { return error.errnoCode == ECONNREFUSED }
        guard let error = error as? HTTPClientError else { return false }
        let sure: [HTTPClientError] = [
            .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout, .invalidURL, .emptyHost,
            .emptyScheme, .alreadyShutdown, .socksHandshakeTimeout, .httpProxyHandshakeTimeout,
        ]
        return sure.contains(error)
    }

    /// For people; short, and without what was sent.
    static func describe(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError: error.shortDescription
        case let error as NIOConnectionError: "no connection to \(error.host):\(error.port)"
        case let error as IOError: error.description
        default: "\(type(of: error))"
        }
    }
}
