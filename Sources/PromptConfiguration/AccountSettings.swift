package import PromptQueue

/// An account at the provider beside the one of the top level: an entry of `accounts`.
package struct AccountSettings: Sendable, Equatable {
    package var name: AccountName
    /// nil: systemd's credential `api-key-NAME`.
    package var apiKeyFile: String?
    package var rate = EngineSettings().rate
    package var running = EngineSettings().running
    package var pollsPerSecond = EngineSettings().pollsPerSecond
    package var creditsReserve = AccountRules().creditReserve

    package init(name: AccountName) { self.name = name }
}
