package import KieAPI

/// The daemon's keys.
package enum Credentials {
    /// - Throws: `ConfigurationError` that says where a key can be put.
    package static func apiKey(
        file: String?,
        environment: [String: String]
    ) throws(ConfigurationError) -> Secret {
        let lookup = KeyLookup.api(fileSetting: "provider.apiKeyFile")
        guard let key = try find(lookup, file, environment) else { throw ConfigurationError(lookup.absence) }
        return key
    }

    /// The key that signs callbacks; nil if there is none.
    ///
    /// - Throws: `ConfigurationError` when a key is meant to be there and cannot be used.
    package static func webhookKey(
        file: String?,
        environment: [String: String]
    ) throws(ConfigurationError) -> Secret? {
        try find(.webhook(fileSetting: "callbacks.hmacKeyFile"), file, environment)
    }

    private static func find(
        _ lookup: KeyLookup,
        _ file: String?,
        _ environment: [String: String]
    ) throws(ConfigurationError) -> Secret? {
        do throws(KeyLookup.Problem) {
            return try lookup.find(file: file, environment: environment)
        } catch {
            throw ConfigurationError(error.description)
        }
    }
}
