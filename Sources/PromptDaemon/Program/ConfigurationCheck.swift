import JobStore
import PromptQueue

/// What `--check-config` looks at beyond the settings themselves, without changing anything.
enum ConfigurationCheck {
    /// Settings that this version reads and cannot keep: better no start than a promise that is not kept.
    static func checkSupported(_ configuration: DaemonConfiguration) throws(ConfigurationError) {
        let unsupported: [(key: ConfigurationKey, isSet: Bool, what: String)] = [
            (.callbacksPublicURL, configuration.callbacksPublicURL != nil, "callbacks; tasks are asked about")
        ]
        for setting in unsupported where setting.isSet {
            throw ConfigurationError(
                "\(setting.key.rawValue): this version does not know \(setting.what). Remove the setting"
            )
        }
    }

    static func run(_ configuration: DaemonConfiguration, environment: [String: String]) throws {
        try checkSupported(configuration)
        _ = try Credentials.apiKey(file: configuration.apiKeyFile, environment: environment)
        try LedgerFile.checkDirectory(of: configuration.database)
        try MediaDirectory.check(configuration.media)
    }
}
