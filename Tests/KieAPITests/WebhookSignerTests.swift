import PromptQueue
import Testing

@testable import KieAPI

/// Signatures the way of Standard Webhooks.
@Suite struct WebhookSignerTests {
    /// The specification's example; python3: base64.b64encode(hmac.new(base64.b64decode(secret), b"ID.TIME.BODY", "sha256").digest())
    @Test func `the signature is the specification's`() throws {
        let signer = try #require(WebhookSigner(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")))
        let now = Instant(milliseconds: 1_614_265_330_999)
        let headers = signer.headers(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at: now,
            body: Array(#"{"test": 2432232314}"#.utf8)
        )
        #expect(headers.map(\.name) == ["webhook-id", "webhook-timestamp", "webhook-signature"])
        #expect(
            headers.map(\.value) == [
                "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ]
        )
    }

    @Test(arguments: [
        "", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_AAAA", "whsec_not base64, this",
        "whsec_" + String(repeating: "A", count: 400),
    ])
    func `what is no secret of that kind is refused`(text: String) {
        #expect(WebhookSigner(Secret(text)) == nil)
    }
}
