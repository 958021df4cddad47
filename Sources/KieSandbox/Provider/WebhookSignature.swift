import Crypto
import FoundationEssentials
package import PromptQueue

/// The signature of a callback: of its task and its time, not of its body.
package struct WebhookSignature: Sendable, Hashable {
    /// base64(HMAC-SHA256(key, taskId + "." + timestamp))
    package let text: String

    /// - Parameter seconds: Unix time, as in `X-Webhook-Timestamp`.
    package init(taskID: TaskID, seconds: Int64, key: String) {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("\(taskID.rawValue).\(seconds)".utf8),
            using: SymmetricKey(data: Data(key.utf8))
        )
        text = Data(code).base64EncodedString()
    }
}
