import AsyncHTTPClient
import Glibc
import NIOCore
import NIOSSL
import PromptQueue
import Testing

@testable import KieAPI

/// Only what proves that no request left counts as not sent.
@Suite struct TransportErrorTests {
    @Test(arguments: [
        HTTPClientError.deadlineExceeded, .cancelled, .remoteConnectionClosed, .readTimeout, .writeTimeout,
        .uncleanShutdown, .bodyLengthMismatch,
    ])
    func `an error of a connection at work may have cost credits`(error: HTTPClientError) {
        #expect(!TransportError.isNotSent(error))
    }

    @Test(arguments: [
        HTTPClientError.connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout, .alreadyShutdown,
    ])
    func `without a connection nothing was sent`(error: HTTPClientError) {
        #expect(TransportError.isNotSent(error))
    }

    @Test func `of the system's errors only a refused connection shows that nothing was sent`() {
        #expect(TransportError.isNotSent(IOError(errnoCode: ECONNREFUSED, reason: "connect")))
        for code in [ENETUNREACH, EHOSTUNREACH, EMFILE, ENFILE, EADDRNOTAVAIL] {
            #expect(TransportError.isNotSent(IOError(errnoCode: code, reason: "connect")))
            #expect(!TransportError.isNotSent(IOError(errnoCode: code, reason: "write"), hasSentHead: true))
        }
        #expect(!TransportError.isNotSent(IOError(errnoCode: ECONNRESET, reason: "read")))
        #expect(!TransportError.isNotSent(IOError(errnoCode: ETIMEDOUT, reason: "connect")))
    }

    @Test(arguments: [ECONNREFUSED, ECONNRESET])
    func `after the head no error proves anything`(code: CInt) {
        #expect(!TransportError.isNotSent(IOError(errnoCode: code, reason: "read"), hasSentHead: true))
        #expect(!TransportError.isNotSent(HTTPClientError.connectTimeout, hasSentHead: true))
    }

    @Test func `a time limit for connecting blames neither the server nor the name server alone`() {
        let text = TransportError.describe(HTTPClientError.connectTimeout)
        #expect(text.contains("name server or the server"))
    }

    @Test func `a handshake that fails sends nothing`() {
        #expect(TransportError.isNotSent(NIOSSLError.handshakeFailed(.noError)))
        #expect(TransportError.isNotSent(NIOSSLExtraError.failedToValidateHostname))
        #expect(!TransportError.isNotSent(NIOSSLError.uncleanShutdown))
        #expect(!TransportError.isNotSent(NIOSSLExtraError.unknownPrivateKeyFileType))
    }
}
