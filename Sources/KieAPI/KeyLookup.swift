import FoundationEssentials
package import PromptQueue

/// Where a key is looked for: the file that somebody names, else systemd's credential, else the environment. Space around it
/// is dropped.
package struct KeyLookup: Sendable {
    /// What is wrong with a key, and where; never the key.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// What names the file, for messages: a setting, or a variable.
    package var fileSetting: String
    /// The name of systemd's credential (systemd.exec(5), LoadCredential=).
    package var credential: String
    package var variable: String
    /// What the key is, for messages.
    package var purpose: String
    /// Whether it goes into a header, and so must be printable ASCII.
    package var isSent = true

    /// The key that goes to the provider with each request.
    package static func api(fileSetting: String) -> KeyLookup {
        KeyLookup(fileSetting: fileSetting, credential: "api-key", variable: "KIE_API_KEY", purpose: "the API key")
    }

    /// The key of an account that the configuration names.
    package static func account(_ name: AccountName) -> KeyLookup {
        KeyLookup(
            fileSetting: "accounts.\(name).apiKeyFile",
            credential: "api-key-\(name)",
            variable: "",
            purpose: "the API key of the account \(name)"
        )
    }

    /// The key that signs callbacks.
    package static func webhook(fileSetting: String) -> KeyLookup {
        KeyLookup(
            fileSetting: fileSetting,
            credential: "webhook-key",
            variable: "KIE_WEBHOOK_HMAC_KEY",
            purpose: "the key that signs callbacks at the provider",
            isSent: false
        )
    }

    /// What people log in to the pages with.
    package static func webToken(fileSetting: String) -> KeyLookup {
        KeyLookup(
            fileSetting: fileSetting,
            credential: "web-token",
            variable: "",
            purpose: "the token that people log in to the pages with"
        )
    }

    /// The secret that signs what a hook is sent.
    package static func hook(_ name: String) -> KeyLookup {
        KeyLookup(
            fileSetting: "hooks.\(name).secretFile",
            credential: "hook-\(name)",
            variable: "",
            purpose: "the secret that signs what the hook is sent, whsec_ and base64",
            isSent: false
        )
    }

    /// - Returns: nil if there is none in any place.
    /// - Throws: `Problem` when one is meant to be there and cannot be used.
    package func find(file: String?, environment: [String: String]) throws(Problem) -> Secret? {
        if let file { return try read(file, fileSetting) }
        if let directory = environment["CREDENTIALS_DIRECTORY"] {
            let path = "\(directory)/\(credential)"
            if FileManager.default.fileExists(atPath: path) {
                return try read(path, "the systemd credential \(credential)")
            }
        }
        let key = environment[variable]?.trimmingSpaces() ?? ""
        return key.isEmpty ? nil : try checked(key, variable)
    }

    /// Looks where systemd takes the daemon's credential from.
    ///
    /// - Returns: nil if there is none, or none that this user may read.
    package func findInStore(_ directory: String) throws(Problem) -> Secret? {
        let path = "\(directory)/promptd.\(credential)"
        guard FileManager.default.isReadableFile(atPath: path) else { return nil }
        return try read(path, "the credential \(credential)")
    }

    /// What to say where there must be one and is none.
    package var absence: String {
        "there is no API key: put it into a file and name that in \(fileSetting), or give systemd the credential \(credential)"
            + (variable.isEmpty ? "" : ", or set \(variable)")
    }

    private func read(_ path: String, _ source: String) throws(Problem) -> Secret {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Problem(description: "\(source): \(path) cannot be read; check that it exists and its permissions")
        }
        return try checked(String(decoding: data, as: UTF8.self).trimmingSpaces(), "\(source): \(path)")
    }

    private func checked(_ key: String, _ source: String) throws(Problem) -> Secret {
        guard !key.isEmpty else { throw Problem(description: "\(source): is empty; put \(purpose) there") }
        let secret = Secret(key)
        guard !isSent || secret.isSendable else {
            throw Problem(
                description: "\(source): is not \(purpose): it holds spaces or other characters that such a key has not"
            )
        }
        return secret
    }
}
