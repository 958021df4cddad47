/// The configuration's keys: each with its environment name and how its text is understood.
enum ConfigurationKey: String, CaseIterable {
    case database
    case media
    case providerBaseURL = "provider.baseURL"
    case providerAPIKeyFile = "provider.apiKeyFile"
    case providerAllowHTTP = "provider.allowHTTP"
    case limitsSubmissions = "limits.submissions"
    case limitsWindow = "limits.window"
    case limitsRunning = "limits.running"
    case limitsPollsPerSecond = "limits.pollsPerSecond"
    case creditsReserve = "credits.reserve"
    case callbacksPublicURL = "callbacks.publicURL"
    case callbacksListen = "callbacks.listen"
    case callbacksHMACKeyFile = "callbacks.hmacKeyFile"
    case webListen = "web.listen"
    case downloadsEnabled = "downloads.enabled"
    case downloadsSidecars = "downloads.sidecars"
    case downloadsAllowPrivateAddresses = "downloads.allowPrivateAddresses"
    case unconfirmedPolicy = "unconfirmed.policy"
    case unconfirmedWindow = "unconfirmed.window"
    case retentionFinishedJobs = "retention.finishedJobs"
    case catalogueUnknownModels = "catalogue.unknownModels"
    case catalogueDefaultPrice = "catalogue.defaultPrice"
    case cataloguePrices = "catalogue.prices"
    case shutdownGrace = "shutdown.grace"
    case logLevel = "log.level"
    case logFormat = "log.format"

    /// Whether it takes several values: a list in the file, commas in the environment.
    var isList: Bool { self == .cataloguePrices }

    /// `limits.pollsPerSecond` is `PROMPTD_LIMITS_POLLS_PER_SECOND`.
    var environmentName: String {
        var words = ""
        var previous: Character = "."
        for character in rawValue {
            if character == "." {
                words.append("_")
            } else {
                if character.isUppercase, previous.isLowercase { words.append("_") }
                words.append(contentsOf: character.uppercased())
            }
            previous = character
        }
        return "PROMPTD_" + words
    }
}
