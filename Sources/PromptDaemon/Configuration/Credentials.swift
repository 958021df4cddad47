import FoundationEssentials
package import KieAPI
import PromptQueue

/// Finds the API key: the configured file, else systemd's credential, else the environment.
package enum Credentials {
    /// - Throws: `ConfigurationError` that says where a key can be put.
    package static func apiKey(
        file: String?,
        environment: [String: String]
    ) throws(ConfigurationError) -> Secret {
        if let file { return try read(file, "provider.apiKeyFile") }
        if let directory = environment["CREDENTIALS_DIRECTORY"] {
            let path = directory + "/api-key"
            if FileManager.default.fileExists(atPath: path) { return try read(path, "the systemd credential api-key") }
        }
        if let key = environment["KIE_API_KEY"]?.trimmingSpaces(), !key.isEmpty {
            return try checked(key, "KIE_API_KEY")
        }
        throw ConfigurationError(
            "there is no API key: put it into a file and name that in provider.apiKeyFile, "
                + "or give systemd the credential api-key, or set KIE_API_KEY"
        )
    }

    private static func read(_ path: String, _ what: String) throws(ConfigurationError) -> Secret {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError("\(what): \(path) cannot be read; check that it exists and its permissions")
        }
        return try checked(String(decoding: data, as: UTF8.self).trimmingSpaces(), what)
    }

    private static func checked(_ key: String, _ what: String) throws(ConfigurationError) -> Secret {
        guard !key.isEmpty else { throw ConfigurationError("\(what): is empty; put the API key there") }
        let secret = Secret(key)
        guard secret.isSendable else {
            throw ConfigurationError("\(what): holds something that is no API key (spaces or other signs)")
        }
        return secret
    }
}
