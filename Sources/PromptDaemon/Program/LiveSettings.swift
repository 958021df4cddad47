import KieAPI
import Logging
import PromptConfiguration
import PromptQueue
import Synchronization

/// The settings that a reload changes while the daemon runs.
final class LiveSettings: Sendable {
    private let configuration: Mutex<DaemonConfiguration>

    init(_ configuration: DaemonConfiguration) {
        self.configuration = Mutex(configuration)
    }

    var unknownModels: UnknownModelPolicy { configuration.withLock { $0.unknownModels } }
    var catalogueRefresh: RefreshInterval { configuration.withLock { $0.catalogueRefresh } }
    var creditPrice: CreditPrice? { configuration.withLock { $0.creditPrice } }
    var hooks: [Hook] { configuration.withLock { $0.hooks } }
    var apiKeyFile: String? { configuration.withLock { $0.apiKeyFile } }
    var thumbnails: ThumbnailPolicy { configuration.withLock { $0.webThumbnails } }
    /// The accounts beside the standard one.
    var accounts: [AccountName] { configuration.withLock { $0.accounts.map(\.name) } }

    /// The key of an account, read where the configuration says now; one that is gone from it keeps its credential.
    func key(of account: AccountName, environment: [String: String]) throws(ConfigurationError) -> Secret {
        guard account != .standard else {
            return try Credentials.apiKey(file: apiKeyFile, environment: environment)
        }
        let settings = configuration.withLock { $0.accounts.first { $0.name == account } }
        return try Credentials.accountKey(settings ?? AccountSettings(name: account), environment: environment)
    }
    var sidecars: Bool { configuration.withLock { $0.downloadsSidecars } }
    var uploadRoots: [String] { configuration.withLock { $0.uploadRoots } }
    var names: NameTemplate { configuration.withLock { $0.downloadsNames } }
    var retention: (jobs: Retention, files: FileRetention) {
        configuration.withLock { ($0.retention, $0.retainedFiles) }
    }
    var logLevel: Logger.Level {
        configuration.withLock { Logger.Level(rawValue: $0.logLevel.rawValue) ?? .info }
    }

    /// Takes over a new configuration.
    ///
    /// - Returns: the keys whose new values wait for a restart.
    func replace(with new: DaemonConfiguration) -> [String] {
        configuration.withLock { current in
            let old = current
            current = new
            let accounts = Set(old.accounts.map(\.name)) == Set(new.accounts.map(\.name)) ? [] : ["accounts"]
            return Setting.all.filter { !$0.isReloaded && $0.differs(old, new) }.map(\.key) + accounts
        }
    }
}
