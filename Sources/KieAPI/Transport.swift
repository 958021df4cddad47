import AsyncHTTPClient
import FoundationEssentials
package import NIOCore
import NIOPosix
import NIOSSL
import PromptQueue
import SystemPackage

/// How one HTTP exchange ended.
enum Exchange: Sendable {
    /// - `headers`: those that say something about what is to be done.
    case answered(status: Int, body: [UInt8], headers: AnswerHeaders = AnswerHeaders())
    /// Nothing left this machine.
    case notSent(String)
    /// The request may have arrived; no whole answer came.
    case lost(String)
}

/// The headers of an answer that matter, checked.
struct AnswerHeaders: Sendable, Equatable {
    /// `Retry-After` (RFC 9110, section 10.2.3): a second to a day.
    var retryAfter: Duration?
    /// `Location` of a redirect, which is not followed: harmless to show.
    var location: String?

    init() {}

    /// - Parameters:
    ///   - date: `Date`, by which a date in `Retry-After` is measured: the server's clock may be another than this machine's.
    ///     Without it such a date says nothing.
    init(retryAfter: String?, location: String?, date: String? = nil) {
        self.retryAfter = retryAfter.flatMap { Self.wait($0, date: date) }
        self.location = location.map { PlainText.oneLine(BoundedText.word($0)) }
    }

    private static func wait(_ text: String, date: String?) -> Duration? {
        let wait: Duration? =
            if let until = HTTPDate.instant(text) {
                date.flatMap(HTTPDate.instant).map { until - $0 }
            } else {
                Int64(text).flatMap { (1...86_400).contains($0) ? .seconds($0) : nil }
            }
        return wait.flatMap { $0 >= .seconds(1) && $0 <= .seconds(86_400) ? $0 : nil }
    }
}

/// A date as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7). The obsolete forms are not read.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    static func instant(_ text: String) -> Instant? {
        let parts = text.utf8.count == 29 ? text.split(separator: " ") : []
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])) else {
            return nil
        }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        let text = "\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z"
        guard let date = try? Date(text, strategy: .iso8601) else { return nil }
        return Instant(milliseconds: Int64(date.timeIntervalSince1970) * 1_000)
    }
}

/// Which errors of the HTTP client prove that no request left.
package enum TransportError {
    /// - Parameter hasSentHead: whether a request's head was handed to the system before the error came.
    static func isNotSent(_ error: any Error, hasSentHead: Bool = false) -> Bool {
        if hasSentHead { return false }
        if error is NIOConnectionError { return true }
        // From connecting to an address; from a connection at work it would have come after the head.
        if let error = error as? IOError { return ofConnecting.contains(error.errnoCode) }
        // Before the handshake is done nothing of a request leaves.
        if let error = error as? NIOSSLError, case .handshakeFailed = error { return true }
        if let error = error as? NIOSSLExtraError {
            let ofHandshake: [NIOSSLExtraError] = [
                .failedToValidateHostname, .serverHostnameImpossibleToMatch, .cannotUseIPAddressInSNI,
                .invalidSNIHostname,
            ]
            return ofHandshake.contains(error)
        }
        guard let error = error as? HTTPClientError else { return false }
        let sure: [HTTPClientError] = [
            .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout, .invalidURL, .emptyHost,
            .emptyScheme, .alreadyShutdown, .socksHandshakeTimeout, .httpProxyHandshakeTimeout,
        ]
        return sure.contains(error)
    }

    /// From making a socket or connecting it (socket(2), connect(2)): no way there, no descriptor, no port of our own.
    private static let ofConnecting: Set<CInt> = [
        ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EMFILE, ENFILE, EADDRNOTAVAIL, EAFNOSUPPORT,
        EACCES,
    ]

    /// The system's words for an error: `Connection refused`.
    package static func reason(_ error: IOError) -> String {
        Errno(rawValue: error.errnoCode).description
    }

    private static func cause(of error: NIOConnectionError) -> String {
        if let first = error.connectionErrors.first?.error as? IOError { return " (\(reason(first)))" }
        let isUnresolved = error.connectionErrors.isEmpty && (error.dnsAError != nil || error.dnsAAAAError != nil)
        return isUnresolved ? ": its name cannot be resolved; does DNS work, and is the name right?" : ""
    }

    private static func trouble(of error: NIOSSLError) -> String {
        guard case .handshakeFailed(let cause) = error else { return "TLS: \(type(of: error))" }
        // BoringSSL's own words stand in a list of numbers and places.
        guard String(describing: cause).contains("CERTIFICATE_VERIFY_FAILED") else { return "the TLS handshake failed" }
        return
            "the server's certificate is not trusted: are the CA certificates installed (package ca-certificates), is the "
            + "clock right, and nothing in between?"
    }

    /// For people; short, and without what was sent.
    static func describe(_ error: any Error) -> String {
        switch error {
        // The client resolves the name and connects within one time limit, and does not say which of them took it.
        case let error as HTTPClientError where error == .connectTimeout:
            "no connection in time: the name server or the server did not answer"
        case let error as HTTPClientError: error.shortDescription
        case let error as NIOConnectionError: "no connection to \(error.host):\(error.port)\(cause(of: error))"
        case let error as NIOSSLError: trouble(of: error)
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "the server's certificate is for another host: is the URL right, and nothing in between?"
        case let error as IOError: reason(error)
        case let error as InvalidStatus: error.description
        default: "\(type(of: error))"
        }
    }
}
