import JobStore
import PromptQueue

/// What `--check-config` looks at beyond the settings themselves, without changing anything.
enum ConfigurationCheck {
    /// Settings that this version reads and cannot keep: better no start than a promise that is not kept.
    static func checkSupported(_ configuration: DaemonConfiguration) throws(ConfigurationError) {
        let unsupported: [(key: ConfigurationKey, isSet: Bool, what: String)] = [
            (.creditsReserve, configuration.creditsReserve != .zero, "a reserve of credits; use a budget"),
            (
                .unconfirmedPolicy, configuration.unconfirmedPolicy != .hold,
                "resubmitting; settle jobs by promptctl resolve"
            ),
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
        if configuration.callbacksPublicURL != nil {
            _ = try Credentials.webhookKey(file: configuration.callbacksHMACKeyFile, environment: environment)
        }
        try LedgerFile.checkDirectory(of: configuration.database)
        try MediaDirectory.check(configuration.media)
    }
}
