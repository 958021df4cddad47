import FoundationEssentials
package import KieAPI
import PromptQueue

extension Credentials {
    /// Finds the key that signs callbacks: the configured file, else systemd's credential, else the environment; nil if
    /// there is none.
    ///
    /// - Throws: `ConfigurationError` when a key is meant to be there and cannot be used.
    package static func webhookKey(
        file: String?,
        environment: [String: String]
    ) throws(ConfigurationError) -> Secret? {
        if let file { return try webhookKey(at: file, "callbacks.hmacKeyFile") }
        if let directory = environment["CREDENTIALS_DIRECTORY"] {
            let path = directory + "/webhook-key"
            if FileManager.default.fileExists(atPath: path) {
                return try webhookKey(at: path, "the systemd credential webhook-key")
            }
        }
        let key = environment["KIE_WEBHOOK_HMAC_KEY"]?.trimmingSpaces() ?? ""
        return key.isEmpty ? nil : Secret(key)
    }

    private static func webhookKey(at path: String, _ what: String) throws(ConfigurationError) -> Secret {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError("\(what): \(path) cannot be read; check that it exists and its permissions")
        }
        let key = String(decoding: data, as: UTF8.self).trimmingSpaces()
        guard !key.isEmpty else {
            throw ConfigurationError(
                "\(what): \(path) is empty; put the key there that signs callbacks at the provider"
            )
        }
        return Secret(key)
    }
}
