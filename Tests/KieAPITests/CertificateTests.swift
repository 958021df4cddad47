import NIOCore
import NIOPosix
import NIOSSL
import PromptQueue
import Testing

@testable import KieAPI

/// What is said where TLS fails: the cause and the remedy, and that nothing was sent.
@Suite(.timeLimit(.minutes(5))) struct CertificateTests {
    /// Nobody's: made for this test, and trusted by no one.
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBiDCCAS2gAwIBAgIUJbmIuXFEXYEjJSLJ5WFrH5LpVnIwCgYIKoZIzj0EAwIw
        GDEWMBQGA1UEAwwNbWVkaWEuZXhhbXBsZTAgFw0yNjExMjkyMDIxNDZaGA8yMTI2
        MTEwNTIwMjE0NlowGDEWMBQGA1UEAwwNbWVkaWEuZXhhbXBsZTBZMBMGByqGSM49
        AgEGCCqGSM49AwEHA0IABKVSWK+GjeHjLaYWXFi7LKA8jSzuggRBMSt+OFoABOVx
        TkgdoZGjEXhgLUNW1xpv9ilYLKJ8CYQ5hFJYuSRcaaSjUzBRMB0GA1UdDgQWBBR5
        ZaWtLC+X+os8NPHZVetRllluZzAfBgNVHSMEGDAWgBR5ZaWtLC+X+os8NPHZVetR
        llluZzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDffJJ8X0rD
        5ZtMonu25Slyqa8IJPBhL1weHLB68qydFgIhAMf/TLp1Y0R2Q/gTabxuFXik5JwB
        7mL2cdPhEYzu9TY/
        -----END CERTIFICATE-----
        """
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjMpDdLJ6cswabM8T
        cbaATnWGuUJXdCBb2mkD2yPOEfihRANCAASlUlivho3h4y2mFlxYuyygPI0s7oIE
        QTErfjhaAATlcU5IHaGRoxF4YC1DVtcab/YpWCyifAmEOYRSWLkkXGmk
        -----END PRIVATE KEY-----
        """

    @Test func `a certificate that nobody vouches for is told from an outage, and nothing was sent`() async throws {
        let certificates = try NIOSSLCertificate.fromPEMBytes(Array(Self.certificate.utf8))
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: certificates.map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(Self.key.utf8), format: .pem))
            )
        )
        let server = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let client = KieClient(
            KieSettings(baseURL: "https://127.0.0.1:\(server.localAddress?.port ?? 0)"),
            key: Secret("key")
        )
        let outcome = await client.createTask(model: "m", input: [:], callbackURL: nil)
        try await client.shutdown()
        try await server.close()
        guard case .notSent(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.message.contains("the server's certificate is not trusted: are the CA certificates installed"))
    }

    @Test func `a certificate of another host is said to be one`() {
        let text = TransportError.describe(NIOSSLExtraError.failedToValidateHostname)
        #expect(text == "the server's certificate is for another host: is the URL right, and nothing in between?")
    }
}
