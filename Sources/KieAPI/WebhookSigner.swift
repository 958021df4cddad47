import Crypto
import FoundationEssentials
package import PromptQueue

/// Signs what goes to others the way of Standard Webhooks (https://www.standardwebhooks.com): the receiver can tell that it is ours,
/// unchanged, and of now.
package struct WebhookSigner: Sendable {
    private let key: SymmetricKey

    /// - Parameter secret: `whsec_` and 24 to 64 bytes in base64.
    /// - Returns: nil for anything else.
    package init?(_ secret: Secret) {
        let text = secret.value
        guard text.hasPrefix("whsec_"), let bytes = Data(base64Encoded: String(text.dropFirst(6))),
            (24...64).contains(bytes.count)
        else { return nil }
        key = SymmetricKey(data: bytes)
    }

    /// `v1,` and the base64 of HMAC-SHA256 over `ID.SECONDS.BODY`.
    package func signature(id: String, at now: Instant, body: [UInt8]) -> String {
        var code = HMAC<SHA256>(key: key)
        code.update(data: Data("\(id).\(Self.seconds(now)).".utf8))
        code.update(data: Data(body))
        return "v1," + Data(code.finalize()).base64EncodedString()
    }

    /// What goes into the request's head.
    package func headers(id: String, at now: Instant, body: [UInt8]) -> [(name: String, value: String)] {
        [
            ("webhook-id", id), ("webhook-timestamp", "\(Self.seconds(now))"),
            ("webhook-signature", signature(id: id, at: now, body: body)),
        ]
    }

    private static func seconds(_ now: Instant) -> Int64 { now.milliseconds / 1_000 }
}
