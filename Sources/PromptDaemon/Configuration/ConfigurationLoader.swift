import Configuration
import FoundationEssentials
import KieAPI
import PromptQueue
import SystemPackage
import Yams

/// Reads the configuration: the environment over the file over the defaults.
package struct ConfigurationLoader {
    package static let defaultFile = "/etc/promptd/promptd.yaml"

    private let file: String?
    private let environment: [String: String]
    private let reader: ConfigReader

    /// - Parameters:
    ///   - file: a file that must exist; nil for the default file, which may be missing.
    /// - Throws: `ConfigurationError`, naming the key, the value and what is allowed.
    package static func load(
        file: String?,
        environment: [String: String]
    ) async throws(ConfigurationError) -> DaemonConfiguration {
        try await ConfigurationLoader(file: file, environment: environment).read()
    }

    private init(file: String?, environment: [String: String]) async throws(ConfigurationError) {
        let path = file ?? Self.defaultFile
        let exists = FileManager.default.fileExists(atPath: path)
        guard exists || file == nil else { throw ConfigurationError("\(path): no such file") }
        self.file = exists ? path : nil
        self.environment = environment
        var providers: [any ConfigProvider] = [
            EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "promptd")
        ]
        if exists {
            try ConfigurationFile.check(path)
            do {
                providers.append(try await FileProvider<YAMLSnapshot>(filePath: FilePath(path)))
            } catch {
                // An empty file is no mapping to the provider, and no error to us.
                guard try ConfigurationFile.isEmpty(path) else {
                    throw ConfigurationError("\(path): \(error)")
                }
            }
        }
        reader = ConfigReader(providers: providers)
        try checkEnvironment()
    }

    /// A misspelt variable would otherwise go unnoticed.
    private func checkEnvironment() throws(ConfigurationError) {
        let known = Set(ConfigurationKey.allCases.map(\.environmentName))
        for name in environment.keys.sorted()
        where name.hasPrefix("PROMPTD_") && !known.contains(name) && !name.hasPrefix("PROMPTD_TEST_") {
            let near = Suggestion.nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
            throw ConfigurationError("\(name) is not a setting of promptd\(near) (environment)")
        }
    }

    private func read() throws(ConfigurationError) -> DaemonConfiguration {
        var result = DaemonConfiguration()
        try text(.database) { result.database = $0 }
        try text(.media) { result.media = $0 }
        try parse(.providerAllowHTTP, "true or false", Self.bool) { result.providerAllowHTTP = $0 }
        let allowsHTTP = result.providerAllowHTTP
        try parse(
            .providerBaseURL,
            KieSettings.allowedBaseURL,
            { KieSettings.isAllowed(baseURL: $0, allowsHTTP: allowsHTTP) ? $0 : nil },
            use: { result.providerBaseURL = $0 }
        )
        try text(.providerAPIKeyFile) { result.apiKeyFile = $0 }
        try number(.limitsSubmissions, 1...1_000_000) { result.rate.count = $0 }
        try duration(.limitsWindow, .milliseconds(1)...(.seconds(86_400))) { result.rate.window = $0 }
        try number(.limitsRunning, 1...1_000_000) { result.running = $0 }
        try number(.limitsPollsPerSecond, 1...1_000_000) { result.pollsPerSecond = $0 }
        try parse(.creditsReserve, "credits, a number from 0", Self.credits) { result.creditsReserve = $0 }
        try parse(.callbacksPublicURL, PublicURL.allowed, PublicURL.read) { result.callbacksPublicURL = $0 }
        try parse(.callbacksListen, "an address like 127.0.0.1:8788", ListenAddress.init(text:)) {
            result.callbacksListen = $0
        }
        try text(.callbacksHMACKeyFile) { result.callbacksHMACKeyFile = $0 }
        try parse(.webListen, "an address like 127.0.0.1:8787, or off", Self.listenOrOff) { result.webListen = $0 }
        try parse(.downloadsEnabled, "true or false", Self.bool) { result.downloadsEnabled = $0 }
        try parse(.downloadsSidecars, "true or false", Self.bool) { result.downloadsSidecars = $0 }
        try choice(.downloadsAllowPrivateAddresses) { result.downloadsAllowPrivateAddresses = $0 }
        try choice(.unconfirmedPolicy) { result.unconfirmedPolicy = $0 }
        try duration(.unconfirmedWindow, .seconds(1)...(.seconds(30 * 86_400))) { result.unconfirmedWindow = $0 }
        try parse(.retentionFinishedJobs, "a duration from 1h like 90d, or forever", Self.durationOrForever) {
            result.retentionFinishedJobs = $0
        }
        try choice(.catalogueUnknownModels) { result.unknownModels = $0 }
        try parse(.catalogueDefaultPrice, "credits, a number from 0 to 1000000", PriceSetting.credits) {
            result.defaultPrice = $0
        }
        result.prices = try prices(result.unknownModels)
        try duration(.shutdownGrace, .zero...(.seconds(3_600))) { result.shutdownGrace = $0 }
        try choice(.logLevel) { result.logLevel = $0 }
        try choice(.logFormat) { result.logFormat = $0 }
        return result
    }

    // MARK: - One key

    /// Hands the key's text to `use` if it is set; `use` throws away what it cannot read by returning nil.
    private func parse<T>(
        _ key: ConfigurationKey,
        _ allowed: String,
        _ read: (String) -> T?,
        use: (T) -> Void
    ) throws(ConfigurationError) {
        guard let text = reader.string(forKey: ConfigKey(key.rawValue)) else { return }
        guard let value = read(text.trimmingSpaces()) else { throw problem(key, text, "is not \(allowed)") }
        use(value)
    }

    /// A list: of the file, or separated by commas, as in the environment.
    private func list(_ key: ConfigurationKey) -> [String] {
        if let text = reader.string(forKey: ConfigKey(key.rawValue)) {
            return text.trimmingSpaces().isEmpty
                ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        return reader.stringArray(forKey: ConfigKey(key.rawValue)) ?? []
    }

    private func prices(_ unknownModels: UnknownModelPolicy) throws(ConfigurationError) -> [PriceOverride] {
        var prices: [PriceOverride] = []
        for text in list(.cataloguePrices) {
            let item = text.trimmingSpaces()
            guard let price = PriceSetting.price(item) else {
                throw problem(.cataloguePrices, item, "is not MODEL=CREDITS, like flux-2/pro-text-to-image=5")
            }
            if unknownModels == .refuse, let reason = PriceSetting.unknown(price.model) {
                throw problem(.cataloguePrices, item, reason)
            }
            guard !prices.contains(where: { $0.model == price.model }) else {
                throw problem(.cataloguePrices, item, "names a model that has a price already; one for each is allowed")
            }
            prices.append(price)
        }
        return prices
    }

    private func text(_ key: ConfigurationKey, use: (String) -> Void) throws(ConfigurationError) {
        try parse(key, "a path", { $0.isEmpty ? nil : $0 }, use: use)
    }

    private func number(
        _ key: ConfigurationKey,
        _ range: ClosedRange<Int>,
        use: (Int) -> Void
    ) throws(ConfigurationError) {
        let allowed = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        try parse(key, allowed, { Int($0).flatMap { range.contains($0) ? $0 : nil } }, use: use)
    }

    private func duration(
        _ key: ConfigurationKey,
        _ range: ClosedRange<Duration>,
        use: (Duration) -> Void
    ) throws(ConfigurationError) {
        let allowed = "a duration; write it like 250ms, 10s, 5m, 2h or 90d"
        guard let text = reader.string(forKey: ConfigKey(key.rawValue)) else { return }
        guard let value = Duration(text: text) else { throw problem(key, text, "is not \(allowed)") }
        guard range.contains(value) else {
            throw problem(key, text, "is out of range; \(range.lowerBound.text) to \(range.upperBound.text) is allowed")
        }
        use(value)
    }

    private func choice<T: RawRepresentable & CaseIterable>(
        _ key: ConfigurationKey,
        use: (T) -> Void
    ) throws(ConfigurationError) where T.RawValue == String {
        let names = T.allCases.map(\.rawValue)
        try parse(key, "one of \(names.joined(separator: ", "))", { T(rawValue: $0) }, use: use)
    }

    private func problem(_ key: ConfigurationKey, _ text: String, _ reason: String) -> ConfigurationError {
        let place = environment[key.environmentName] != nil ? "environment \(key.environmentName)" : file ?? "?"
        return ConfigurationError("\(key.rawValue): \"\(text)\" \(reason) (\(place))")
    }

    // MARK: - Readers

    private static func credits(_ text: String) -> Credits? {
        Double(text).flatMap { $0 >= 0 ? Credits($0) : nil }
    }

    private static func bool(_ text: String) -> Bool? {
        switch text {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: nil
        }
    }

    private static func listenOrOff(_ text: String) -> ListenAddress?? {
        if text == "off" || text == "false" { return .some(nil) }
        return ListenAddress(text: text).map { .some($0) }
    }

    private static func durationOrForever(_ text: String) -> Duration?? {
        if text == "forever" { return .some(nil) }
        guard let value = Duration(text: text), value >= .seconds(3_600) else { return nil }
        return .some(value)
    }
}
