import KieAPI
package import PromptQueue

/// Everything that can be configured, checked.
package struct DaemonConfiguration: Sendable, Equatable {
    package var database = "/var/lib/promptd/promptd.sqlite"
    package var stateDirectory = "/var/lib/promptd"
    package var media = "/var/lib/promptd/media"
    package var providerBaseURL = "https://api.kie.ai"
    package var providerAllowHTTP = false
    /// Nil: what belongs to `provider.baseURL`.
    package var providerUploadBaseURL: String?
    package var apiKeyFile: String?
    package var rate = EngineSettings().rate
    package var running = EngineSettings().running
    package var pollsPerSecond = EngineSettings().pollsPerSecond
    package var creditsReserve = AccountRules().creditReserve
    package var creditPrice: CreditPrice?
    package var callbacksPublicURL: String?
    package var callbacksListen = ListenAddress(host: "127.0.0.1", port: 8788)
    package var callbacksHMACKeyFile: String?
    /// nil: off.
    package var webListen: ListenAddress? = ListenAddress(host: "127.0.0.1", port: 8787)
    package var webThumbnails = ThumbnailPolicy.automatic
    package var webTokenFile: String?
    package var webReadWithToken = false
    package var downloadsEnabled = true
    package var downloadsSidecars = true
    package var downloadsNames = NameTemplate.standard
    package var downloadsAllowPrivateAddresses = PrivateAddressPolicy.automatic
    package var unconfirmedPolicy = AccountRules().unconfirmedPolicy
    package var unconfirmedWindow = AccountRules().unconfirmedWindow
    package var retention = Retention.after(.seconds(90 * 86_400))
    package var retainedFiles = FileRetention.keep
    package var unknownModels = UnknownModelPolicy.refuse
    package var catalogueRefresh = RefreshInterval.every(.seconds(7 * 86_400))
    /// For models of which no price is known.
    package var defaultPrice = PriceBook.fallbackPrice
    /// In place of the catalogue's.
    package var prices: [PriceOverride] = []
    /// Who is told of what happens, in the order of the file.
    package var hooks: [Hook] = []
    /// Directories below which `file:` URLs of jobs may be read.
    package var uploadRoots: [String] = []
    /// Accounts beside the one that the settings above are about, in the order of the file.
    package var accounts: [AccountSettings] = []
    package var shutdownGrace: Duration = .seconds(25)
    package var logLevel = LogLevel.info
    package var logFormat = LogFormat.automatic

    package init() {}

    /// Where files are uploaded to.
    package var uploadBaseURL: String {
        providerUploadBaseURL
            ?? (providerBaseURL == DaemonConfiguration().providerBaseURL
                ? "https://kieai.redpandaai.co" : providerBaseURL)
    }

    /// Whether media may come over plain HTTP and from this machine.
    package var allowsPrivateMedia: Bool {
        switch downloadsAllowPrivateAddresses {
        case .allow: true
        case .refuse: false
        case .automatic: WebURL(providerBaseURL).map { AddressRange.isLoopback(host: $0.host) } ?? false
        }
    }
}

package enum PrivateAddressPolicy: String, Sendable, CaseIterable {
    case automatic = "auto"
    case allow = "true"
    case refuse = "false"
}

/// Whether pages show small pictures of results.
package enum ThumbnailPolicy: String, Sendable, CaseIterable {
    case automatic = "auto"
    case off
}

/// How long finished jobs stay in the database.
package enum Retention: Sendable, Equatable {
    case forever
    case after(Duration)

    /// The time without which a job might be removed before anybody has seen it.
    static let shortest: Duration = .seconds(60)
    static let longest: Duration = .seconds(36_500 * 86_400)

    /// Reads `forever`, or a duration within these bounds.
    init?(text: String) {
        if text == "forever" {
            self = .forever
        } else if let time = Duration(text: text), (Self.shortest...Self.longest).contains(time) {
            self = .after(time)
        } else {
            return nil
        }
    }

    package var text: String {
        switch self {
        case .forever: "forever"
        case .after(let time): time.text
        }
    }
}

/// How often the provider is asked what models it has.
package enum RefreshInterval: Sendable, Equatable {
    case never
    case every(Duration)

    static let shortest: Duration = .seconds(3_600)
    static let longest: Duration = .seconds(366 * 86_400)

    /// Reads `never`, or a duration within these bounds.
    init?(text: String) {
        if text == "never" {
            self = .never
        } else if let time = Duration(text: text), (Self.shortest...Self.longest).contains(time) {
            self = .every(time)
        } else {
            return nil
        }
    }

    package var text: String {
        switch self {
        case .never: "never"
        case .every(let time): time.text
        }
    }
}

/// What becomes of the files of jobs that are removed from the database.
package enum FileRetention: String, Sendable, CaseIterable {
    case keep, remove
}

package enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
}

package enum LogFormat: String, Sendable, CaseIterable {
    case automatic = "auto"
    case text, journal, json
}

/// Where to listen.
package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `127.0.0.1:8787`, `[::1]:8787` or `localhost:8787`.
    package init?(text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { return nil }
        self.init(host: host, port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
