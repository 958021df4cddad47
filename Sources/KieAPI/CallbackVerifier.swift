import Crypto
import FoundationEssentials
package import PromptQueue
import Synchronization

/// Checks a callback's signature: `X-Webhook-Signature` is base64(HMAC-SHA256(key, taskId + "." + `X-Webhook-Timestamp`)).
///
/// It proves that the provider spoke of this task at this time, and nothing more: the body is not signed.
package final class CallbackVerifier: Sendable {
    package enum Verdict: Sendable, Hashable {
        case admitted
        /// Wrong or missing.
        case badSignature
        /// Signed correctly, but too long ago, or in the future.
        case stale
    }

    /// How far the time of signing may be from ours, either way. The provider documents no limit; this is the usual one.
    package static let tolerance: Duration = .seconds(300)

    private let key: Mutex<Secret?>

    /// - Parameter key: nil admits everything; the token in the URL is the only secret then.
    package init(key: Secret?) {
        self.key = Mutex(key)
    }

    package var hasKey: Bool { key.withLock { $0 != nil } }

    /// Changes the key from the next callback on.
    package func replaceKey(_ new: Secret?) {
        key.withLock { $0 = new }
    }

    /// - Parameters:
    ///   - timestamp: `X-Webhook-Timestamp`, Unix seconds.
    ///   - signature: `X-Webhook-Signature`.
    package func verdict(
        task: TaskID,
        timestamp: String?,
        signature: String?,
        now: Instant
    ) -> Verdict {
        guard let key = key.withLock({ $0 }) else { return .admitted }
        guard let timestamp, let seconds = Self.seconds(timestamp), let signature,
            let code = Data(base64Encoded: signature)
        else { return .badSignature }
        // Compares in constant time.
        let isRight = HMAC<SHA256>.isValidAuthenticationCode(
            code,
            authenticating: Data("\(task.rawValue).\(timestamp)".utf8),
            using: SymmetricKey(data: Data(key.value.utf8))
        )
        guard isRight else { return .badSignature }
        let difference = now - Instant(milliseconds: seconds * 1_000)
        return difference >= .zero - Self.tolerance && difference <= Self.tolerance ? .admitted : .stale
    }

    private static func seconds(_ text: String) -> Int64? {
        guard (1...12).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(text)
    }
}
