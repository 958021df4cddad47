import MediaStore
import PromptConfiguration
import PromptQueue

/// What `--check-config` looks at beyond the settings themselves, without changing anything.
enum ConfigurationCheck {
    static func run(_ configuration: DaemonConfiguration, environment: [String: String]) throws {
        let key = try Credentials.apiKey(file: configuration.apiKeyFile, environment: environment)
        _ = try Credentials.accountKeys(configuration.accounts, beside: key, environment: environment)
        if configuration.callbacksPublicURL != nil {
            _ = try Credentials.webhookKey(file: configuration.callbacksHMACKeyFile, environment: environment)
        }
        _ = try Credentials.webToken(configuration, environment: environment)
        try Credentials.checkHooks(configuration.hooks, environment: environment)
        try LedgerOpener.checkDirectory(configuration, environment)
        try MediaDirectory.check(configuration.media)
    }
}
