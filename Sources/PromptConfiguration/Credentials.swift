import Glibc
package import KieAPI
package import PromptQueue

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

    /// The keys of the further accounts.
    ///
    /// - Throws: `ConfigurationError` that says where the first that is missing can be put; and for one key under two names: each
    ///   engine would take the other's spending for nobody's, and both would fill one rate window.
    package static func accountKeys(
        _ accounts: [AccountSettings],
        beside standard: Secret,
        environment: [String: String]
    ) throws(ConfigurationError) -> [AccountName: Secret] {
        var keys: [AccountName: Secret] = [:]
        for account in accounts {
            let key = try accountKey(account, environment: environment)
            let same = key.value == standard.value ? .standard : keys.first { $0.value.value == key.value }?.key
            if let same {
                throw ConfigurationError(
                    "accounts.\(account.name): has the API key of the account \(same): one key is one account, with one balance "
                        + "and one rate window; give it a key of its own, or name \(same) in its queues"
                )
            }
            keys[account.name] = key
        }
        return keys
    }

    /// The key of a further account.
    ///
    /// - Throws: `ConfigurationError` that says where it can be put.
    package static func accountKey(
        _ account: AccountSettings,
        environment: [String: String]
    ) throws(ConfigurationError) -> Secret {
        let lookup = KeyLookup.account(account.name)
        guard let key = try find(lookup, account.apiKeyFile, environment) else {
            throw ConfigurationError(
                "accounts.\(account.name): there is no API key: put it into a file and name that in apiKeyFile, or give systemd "
                    + "the credential \(lookup.credential)"
            )
        }
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

    /// What people log in to the pages with; nil if there is none, and nothing can be changed there.
    ///
    /// - Throws: `ConfigurationError` when a token is meant to be there and cannot be used.
    package static func webToken(
        _ configuration: DaemonConfiguration,
        environment: [String: String]
    ) throws(ConfigurationError) -> Secret? {
        guard configuration.webListen != nil else { return nil }
        let token = try find(.webToken(fileSetting: "web.tokenFile"), configuration.webTokenFile, environment)
        if let token, token.value.utf8.count < shortestToken {
            throw ConfigurationError(
                "web.tokenFile: the token has fewer than \(shortestToken) characters, and could be guessed; make one with "
                    + "openssl rand -hex 16"
            )
        }
        guard token != nil || !configuration.webReadWithToken else {
            throw ConfigurationError(
                "web.readWithToken: there is no token, so that nobody could read: name a file in web.tokenFile, or give systemd "
                    + "the credential web-token"
            )
        }
        return token
    }

    private static let shortestToken = 20

    /// The token's file, if every user of this machine can read it, and so spend what budgets allow; nil: they cannot.
    package static func openTokenFile(_ configuration: DaemonConfiguration) -> String? {
        guard configuration.webListen != nil, let file = configuration.webTokenFile else { return nil }
        var status = stat()
        return unsafe stat(file, &status) == 0 && status.st_mode & 0o004 != 0 ? file : nil
    }

    /// The secret that signs what a hook is sent.
    ///
    /// - Throws: `ConfigurationError` that says where it can be put.
    package static func hookSecret(
        _ name: String,
        file: String?,
        environment: [String: String]
    ) throws(ConfigurationError) -> Secret {
        guard let secret = try find(.hook(name), file, environment) else {
            throw ConfigurationError(
                "hooks.\(name): there is no secret to sign with: name a file in secretFile, or give systemd the credential "
                    + "hook-\(name)"
            )
        }
        return secret
    }

    /// Looks whether each webhook can be signed.
    ///
    /// - Throws: `ConfigurationError` for one that cannot.
    package static func checkHooks(_ hooks: [Hook], environment: [String: String]) throws(ConfigurationError) {
        for hook in hooks {
            guard case .webhook(let webhook) = hook.action else { continue }
            let secret = try hookSecret(hook.name, file: webhook.secretFile, environment: environment)
            guard WebhookSigner(secret) != nil else {
                throw ConfigurationError("hooks.\(hook.name): the secret is not whsec_ and 24 to 64 bytes in base64")
            }
        }
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
