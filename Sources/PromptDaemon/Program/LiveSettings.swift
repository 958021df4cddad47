import Logging
import PromptQueue
import Synchronization

/// The settings that a reload changes while the daemon runs.
final class LiveSettings: Sendable {
    private let configuration: Mutex<DaemonConfiguration>

    init(_ configuration: DaemonConfiguration) {
        self.configuration = Mutex(configuration)
    }

    var unknownModels: UnknownModelPolicy { configuration.withLock { $0.unknownModels } }
    var apiKeyFile: String? { configuration.withLock { $0.apiKeyFile } }
    var sidecars: Bool { configuration.withLock { $0.downloadsSidecars } }
    var logLevel: Logger.Level {
        configuration.withLock { Logger.Level(rawValue: $0.logLevel.rawValue) ?? .info }
    }

    /// Takes over a new configuration; returns the keys whose new values wait for a restart.
    func replace(with new: DaemonConfiguration) -> [String] {
        configuration.withLock { current in
            let old = current
            current = new
            let fixed: [(ConfigurationKey, Bool)] = [
                (.database, old.database != new.database),
                (.media, old.media != new.media),
                (.providerBaseURL, old.providerBaseURL != new.providerBaseURL),
                (.providerAllowHTTP, old.providerAllowHTTP != new.providerAllowHTTP),
                (.callbacksPublicURL, old.callbacksPublicURL != new.callbacksPublicURL),
                (.callbacksListen, old.callbacksListen != new.callbacksListen),
                (.webListen, old.webListen != new.webListen),
                (
                    .downloadsAllowPrivateAddresses,
                    old.downloadsAllowPrivateAddresses != new.downloadsAllowPrivateAddresses
                ),
                (.shutdownGrace, old.shutdownGrace != new.shutdownGrace),
                (.logFormat, old.logFormat != new.logFormat),
            ]
            return fixed.filter(\.1).map(\.0.rawValue)
        }
    }
}
