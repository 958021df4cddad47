import FoundationEssentials
import KieAPI
import PromptQueue
import Testing

@testable import PromptConfiguration

@Suite struct ConfigurationTests {
    private func load(
        _ yaml: String? = nil,
        _ environment: [String: String] = [:]
    ) async throws(ConfigurationError) -> DaemonConfiguration {
        guard let yaml else { return try await ConfigurationLoader.load(file: nil, environment: environment) }
        let path = "/tmp/promptd-test-\(UUID().uuidString).yaml"
        _ = FileManager.default.createFile(atPath: path, contents: Data(yaml.utf8))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await ConfigurationLoader.load(file: path, environment: environment)
    }

    @Test func `without a file and environment the defaults hold`() async throws {
        #expect(try await load() == DaemonConfiguration())
        #expect(try await load("") == DaemonConfiguration())
        #expect(try await load("# nothing\n") == DaemonConfiguration())
        #expect(try await load("limits:\n  # submissions: 20\nlog:\n") == DaemonConfiguration())
    }

    @Test func `every key has the environment name of the documentation`() {
        let names = Setting.all.map { "\($0.key) \($0.environmentName)" }
        #expect(names.contains("provider.baseURL PROMPTD_PROVIDER_BASE_URL"))
        #expect(names.contains("provider.apiKeyFile PROMPTD_PROVIDER_API_KEY_FILE"))
        #expect(names.contains("limits.pollsPerSecond PROMPTD_LIMITS_POLLS_PER_SECOND"))
        #expect(names.contains("callbacks.publicURL PROMPTD_CALLBACKS_PUBLIC_URL"))
        #expect(names.contains("callbacks.hmacKeyFile PROMPTD_CALLBACKS_HMAC_KEY_FILE"))
        #expect(names.contains("downloads.allowPrivateAddresses PROMPTD_DOWNLOADS_ALLOW_PRIVATE_ADDRESSES"))
        #expect(names.contains("retention.finishedJobs PROMPTD_RETENTION_FINISHED_JOBS"))
    }

    /// A value other than the default for every key.
    static let values: [(String, String)] = [
        ("database", "/d/x.sqlite"), ("stateDirectory", "/s"), ("media", "/m"),
        ("provider.baseURL", "http://127.0.0.1:1"),
        ("provider.uploadBaseURL", "https://uploads.example"), ("provider.allowHTTP", "true"),
        ("provider.apiKeyFile", "/k"), ("limits.submissions", "5"),
        ("limits.window", "1m"), ("limits.running", "7"),
        ("limits.pollsPerSecond", "3"), ("credits.reserve", "12.5"), ("credits.price", "0.005 USD"),
        ("callbacks.publicURL", "https://x/y"),
        ("callbacks.listen", "0.0.0.0:1"), ("callbacks.hmacKeyFile", "/h"), ("web.listen", "off"),
        ("web.thumbnails", "off"), ("web.tokenFile", "/t"), ("web.readWithToken", "true"),
        ("downloads.enabled", "false"), ("downloads.sidecars", "false"),
        ("downloads.names", "shop/{id}.{ordinal}.{ext}"), ("downloads.allowPrivateAddresses", "true"),
        ("unconfirmed.policy", "resubmit"),
        ("unconfirmed.window", "5m"), ("retention.finishedJobs", "forever"), ("retention.files", "remove"),
        ("catalogue.unknownModels", "allow"), ("catalogue.refresh", "never"),
        ("catalogue.defaultPrice", "7.5"), ("catalogue.prices", "flux-2/pro-text-to-image=5.5, z-image=1"),
        ("uploads.roots", "/srv/photos, /srv/frames"), ("shutdown.grace", "3s"), ("log.level", "debug"),
        ("log.format", "json"),
    ]

    @Test(arguments: values)
    func `every key is read from the file and from the environment`(key: String, value: String) async throws {
        let name = try #require(Setting.named(key)).environmentName
        let parts = key.split(separator: ".")
        let yaml = parts.count == 1 ? "\(key): \(value)" : "\(parts[0]):\n  \(parts[1]): \(value)"
        let fromFile = try await load(yaml)
        let fromEnvironment = try await load(nil, [name: value])
        #expect(fromFile == fromEnvironment)
        #expect(fromFile != DaemonConfiguration())
    }

    @Test func `every key is in that list`() {
        #expect(Set(Self.values.map(\.0)) == Set(Setting.all.map(\.key)))
    }

    @Test func `the environment wins over the file`() async throws {
        let configuration = try await load("limits:\n  running: 5", ["PROMPTD_LIMITS_RUNNING": "6"])
        #expect(configuration.running == 6)
    }

    static let bad: [(String, String)] = [
        (
            "limits:\n  window: 10 sec",
            "limits.window: \"10 sec\" is not a duration; write it like 250ms, 10s, 5m, 2h or 90d"
        ),
        ("limits:\n  submissions: 0", "limits.submissions: \"0\" is not a whole number from 1 to 1000000"),
        ("limits:\n  submissions: many", "limits.submissions: \"many\" is not a whole number"),
        ("limits:\n  window: 0s", "limits.window: \"0s\" is out of range"),
        (
            "limits:\n  sumbissions: 5",
            "limits.sumbissions is not a setting of promptd; did you mean limits.submissions?"
        ),
        ("limit:\n  submissions: 5", "limit is not a setting of promptd"),
        ("limits: [1]", "limits is not a setting of promptd"),
        ("limits:\n  running: [1]", "limits.running: takes a single value"),
        ("log:\n  level: loud", "log.level: \"loud\" is not one of trace, debug, info"),
        ("provider:\n  baseURL: api.kie.ai", "provider.baseURL: \"api.kie.ai\" is not a URL"),
        (
            "provider:\n  baseURL: http://api.example",
            "http, by which the key travels in the open, only to this machine"
        ),
        ("provider:\n  baseURL: https://api.example:99999", "is not a URL like https://api.kie.ai"),
        ("provider:\n  baseURL: https://api.example:0", "is not a URL like https://api.kie.ai"),
        ("provider:\n  baseURL: \"https://api.example/#x\"", "is not a URL like https://api.kie.ai"),
        ("downloads:\n  names: shop/{id}.{ext}", "downloads.names: \"shop/{id}.{ext}\" has no {ordinal}"),
        ("downloads:\n  names: shop/{sku}-{ordinal}.{ext}", "has an unknown field {sku}; there are {batch}"),
        ("downloads:\n  names: ../{id}-{ordinal}.{ext}", "begins with a dot"),
        (
            "downloads:\n  names: shop/{label.sku}-{ordinal}.{ext}\n  sidecars: false",
            "has no {id} in the file's name, and downloads.sidecars is false"
        ),
        ("uploads:\n  roots: [photos]", "is not a whole path of a directory, like /srv/photos"),
        ("uploads:\n  roots: [/srv/../etc]", "is not a whole path of a directory, like /srv/photos"),
        ("provider:\n  uploadBaseURL: ftp://x", "provider.uploadBaseURL: \"ftp://x\" is not"),
        ("web:\n  listen: nowhere", "web.listen: \"nowhere\" is not an address"),
        ("credits:\n  price: 5", "credits.price: \"5\" is not an amount and a currency, like 0.005 USD"),
        ("credits:\n  reserve: -1", "credits.reserve: \"-1\" is not credits"),
        ("catalogue:\n  defaultPrice: -1", "catalogue.defaultPrice: \"-1\" is not credits, a number from 0 to 1000000"),
        ("catalogue:\n  defaultPrice: 1e9", "catalogue.defaultPrice: \"1e9\" is not credits"),
        ("catalogue:\n  prices: [z-image=1, 5]", "catalogue.prices: \"5\" is not MODEL=CREDITS"),
        ("catalogue:\n  prices: [5]", "catalogue.prices: \"5\" is not MODEL=CREDITS, like flux-2/pro-text-to-image=5"),
        ("catalogue:\n  prices: [z-image=dear]", "catalogue.prices: \"z-image=dear\" is not MODEL=CREDITS"),
        ("catalogue:\n  prices: [z-image: 5]", "catalogue.prices: takes a list of single values"),
        (
            "catalogue:\n  prices: [z-imgae=5]",
            "catalogue.prices: \"z-imgae=5\" names a model that promptd was not built with; did you mean z-image"
        ),
        (
            "catalogue:\n  prices: [z-image=5, z-image=6]",
            "catalogue.prices: \"z-image=6\" names a model that has a price already"
        ),
        ("retention:\n  finishedJobs: 5", "\"5\" is not a duration from 1m to 36500d, like 90d, or forever"),
        ("retention:\n  finishedJobs: 59s", "\"59s\" is not a duration from 1m to 36500d, like 90d, or forever"),
        ("- a", "is not a mapping"),
        ("a: [", "yaml"),
    ]

    @Test(arguments: bad)
    func `a mistake is named with its key, its value and what is allowed`(yaml: String, message: String) async {
        let error = await #expect(throws: ConfigurationError.self) { try await load(yaml) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `prices are a list in the file, and separated by commas in the environment`() async throws {
        let expected = [
            PriceOverride(model: "z-image", credits: Credits(millicredits: 1_000), source: .configuration),
            PriceOverride(
                model: "flux-2/pro-text-to-image",
                credits: Credits(millicredits: 5_500),
                source: .configuration
            ),
        ]
        let yaml = "catalogue:\n  prices:\n    - z-image=1\n    - flux-2/pro-text-to-image = 5.5\n"
        #expect(try await load(yaml).prices == expected)
        let name = "PROMPTD_CATALOGUE_PRICES"
        #expect(try await load(nil, [name: "z-image=1,flux-2/pro-text-to-image=5.5"]).prices == expected)
        #expect(try await load(yaml, [name: "z-image=2"]).prices.map(\.credits.millicredits) == [2_000])
        #expect(try await load(yaml, [name: ""]).prices.isEmpty)
        #expect(try await load("catalogue:\n  unknownModels: allow\n  prices: [own/model=3]").prices.count == 1)
        #expect(try await load("catalogue:\n  defaultPrice: 0").defaultPrice == .zero)
    }

    @Test func `a misspelt variable is named`() async {
        let error = await #expect(throws: ConfigurationError.self) {
            try await load(nil, ["PROMPTD_LIMIT_RUNNING": "5"])
        }
        #expect(error?.description.contains("did you mean PROMPTD_LIMITS_RUNNING?") == true)
    }

    @Test func `a file that was asked for must exist`() async {
        let error = await #expect(throws: ConfigurationError.self) {
            try await ConfigurationLoader.load(file: "/nowhere/promptd.yaml", environment: [:])
        }
        #expect(error?.description == "/nowhere/promptd.yaml: no such file")
    }

    @Test func `a key is taken from the file, the credential or the environment, in this order`() throws {
        #expect(throws: ConfigurationError.self) { try Credentials.apiKey(file: nil, environment: [:]) }
        #expect(try Credentials.apiKey(file: nil, environment: ["KIE_API_KEY": " k \n"]).value == "k")
        #expect(throws: ConfigurationError.self) {
            try Credentials.apiKey(file: "/nowhere", environment: ["KIE_API_KEY": "k"])
        }
        // A terminal that marks what is pasted leaves an escape sign; AsyncHTTPClient would refuse the header each time.
        for key in ["a b", "\u{1B}[200~key", "k\u{0}", "k\u{7F}", "clé"] {
            #expect(throws: ConfigurationError.self) {
                try Credentials.apiKey(file: nil, environment: ["KIE_API_KEY": key])
            }
        }
    }

    @Test func `the pages' token comes from the file or the credential, and cannot be guessed`() throws {
        let directory = "/tmp/promptd-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var configuration = DaemonConfiguration()
        #expect(try Credentials.webToken(configuration, environment: [:]) == nil)
        let credentials = ["CREDENTIALS_DIRECTORY": directory]
        try Data("0123456789abcdef0123\n".utf8).write(to: URL(filePath: directory + "/web-token"))
        #expect(try Credentials.webToken(configuration, environment: credentials)?.value == "0123456789abcdef0123")

        configuration.webTokenFile = directory + "/token"
        #expect(
            throws: ConfigurationError(
                "web.tokenFile: \(directory)/token cannot be read; check that it exists and its permissions"
            )
        ) {
            try Credentials.webToken(configuration, environment: credentials)
        }
        for (token, reason) in [
            ("", "is empty; put the token that people log in to the pages with there"),
            ("0123456789abcdef012", "fewer than 20 characters"), ("0123456789 abcdef0123", "is not the token"),
        ] {
            try Data(token.utf8).write(to: URL(filePath: directory + "/token"))
            let error = #expect(throws: ConfigurationError.self) {
                try Credentials.webToken(configuration, environment: credentials)
            }
            #expect(error?.description.contains(reason) == true)
            #expect(token.isEmpty || error?.description.contains(token) == false)
        }

        configuration.webTokenFile = nil
        configuration.webReadWithToken = true
        let error = #expect(throws: ConfigurationError.self) {
            try Credentials.webToken(configuration, environment: [:])
        }
        #expect(error?.description.hasPrefix("web.readWithToken: there is no token") == true)
        configuration.webListen = nil
        #expect(try Credentials.webToken(configuration, environment: [:]) == nil)
    }
}
