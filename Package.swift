// swift-tools-version: 6.2
import PackageDescription

/// One set of compiler settings for every target, tests included.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "promptd",
    products: [
        .executable(name: "promptd", targets: ["promptd"]),
        .executable(name: "promptctl", targets: ["promptctl"]),
        .executable(name: "kie-sandbox", targets: ["kie-sandbox"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Without the trait that brings Foundation.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // The schema: plain SQL, compiled in.
        .target(
            name: "Migrations",
            path: "migrations",
            exclude: ["postgresql"],
            resources: [
                .embedInCode("0014_schema.sql"), .embedInCode("0015_sent_input.sql"),
                .embedInCode("0016_retention.sql"), .embedInCode("0017_provider_models.sql"),
                .embedInCode("0018_changes.sql"), .embedInCode("0019_names.sql"),
                .embedInCode("0020_chains.sql"), .embedInCode("0021_budget_scopes.sql"),
                .embedInCode("0022_events.sql"), .embedInCode("0023_schedules.sql"),
                .embedInCode("0024_listed.sql"), .embedInCode("0025_hooks.sql"),
                .embedInCode("0026_keys.sql"),
                .embedInCode("0027_uploads.sql"),
                .embedInCode("0028_accounts.sql"),
                .embedInCode("0029_search.sql"),
                .embedInCode("0030_warnings.sql"), .embedInCode("0031_other_keys.sql"),
                .embedInCode("0032_upload_rules.sql"), .embedInCode("0033_hot_triggers.sql"),
            ],
            swiftSettings: settings
        ),

        // The domain and the engine. No I/O.
        .target(
            name: "PromptQueue",
            dependencies: [deque, heap],
            resources: [.embedInCode("Catalogue/Data/models.json"), .embedInCode("Catalogue/Data/prices.json")],
            swiftSettings: settings
        ),

        // What acts: the store, the provider, the files.
        .target(name: "CSQLiteSettings", linkerSettings: [.linkedLibrary("sqlite3")]),
        // What a daemon keeps in files beside its store, whatever that is.
        .target(name: "StateFiles", dependencies: ["PromptQueue", systemPackage], swiftSettings: settings),
        .target(
            name: "JobStore",
            dependencies: ["CSQLiteSettings", "PromptQueue", "Migrations", "StateFiles", grdb, systemPackage],
            swiftSettings: settings
        ),
        .target(
            name: "KieAPI",
            dependencies: [
                "PromptQueue", asyncHTTPClient, crypto, logging, nioCore, nioHTTP1, nioPosix, nioSSL, systemPackage,
            ],
            swiftSettings: settings
        ),
        // Results on disk: fetched, checked, synced and named, with what they came from beside them.
        .target(
            name: "MediaStore",
            dependencies: ["Concurrency", "KieAPI", "PromptQueue", crypto, logging, nioPosix, systemPackage],
            swiftSettings: settings
        ),
        // Results side by side, on a page or on one picture.
        .target(
            name: "ContactSheets",
            dependencies: ["Concurrency", "PromptQueue", subprocess, systemPackage],
            swiftSettings: settings
        ),
        // PostgreSQL's client library, and what promptd has of it. Neither knows anything of promptd.
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "Postgres", dependencies: ["CPostgres", systemPackage], swiftSettings: settings),
        // The ledger in PostgreSQL, and its schema.
        .target(
            name: "PostgresStore",
            dependencies: ["Postgres", "PostgresMigrations", "PromptQueue", "StateFiles", systemPackage],
            swiftSettings: settings
        ),
        .target(
            name: "PostgresMigrations",
            path: "migrations/postgresql",
            exclude: ["roles.sql"],
            resources: [
                .embedInCode("0001_schema.sql"), .embedInCode("0001_upkeep.sql"), .embedInCode("0001_views.sql"),
                .embedInCode("0001_facts.sql"), .embedInCode("0001_takeover.sql"), .embedInCode("0001_claims.sql"),
                .embedInCode("0001_retention.sql"), .embedInCode("0001_suspects.sql"), .embedInCode("0001_uploads.sql"),
                .embedInCode("0001_hooks.sql"), .embedInCode("0001_details.sql"), .embedInCode("0001_commands.sql"),
                .embedInCode("0001_moves.sql"),
            ],
            swiftSettings: settings
        ),
        // What tasks wait with.
        .target(name: "Concurrency", dependencies: ["PromptQueue", nioPosix], swiftSettings: settings),
        // The settings, as the daemon and the commands read them.
        .target(
            name: "PromptConfiguration",
            dependencies: ["KieAPI", "PromptQueue", configuration, systemPackage, yams],
            swiftSettings: settings
        ),
        .target(
            name: "PromptDaemon",
            dependencies: [
                "Concurrency", "JobStore", "KieAPI", "MediaStore", "PostgresStore", "PromptConfiguration",
                "PromptQueue", "PromptWeb", "StateFiles", argumentParser, coreMetrics, deque, hummingbird, logging,
                nioCore, nioPosix, serviceLifecycle, subprocess, systemPackage, unixSignals,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "PromptWeb",
            dependencies: [
                "Concurrency", "ContactSheets", "PromptQueue", coreMetrics, crypto, hummingbird, httpTypes, logging,
                mustache, nioCore, serviceLifecycle, systemPackage,
            ],
            resources: [
                .embedInCode("Dashboard/Assets/app.css"), .embedInCode("Dashboard/Assets/app.js"),
                .embedInCode("Dashboard/Assets/icon.svg"), .embedInCode("Dashboard/Templates/add.mustache"),
                .embedInCode("Dashboard/Templates/again.mustache"),
                .embedInCode("Dashboard/Templates/change.mustache"),
                .embedInCode("Dashboard/Templates/login.mustache"),
                .embedInCode("Dashboard/Templates/batches.mustache"),
                .embedInCode("Dashboard/Templates/budgets.mustache"),
                .embedInCode("Dashboard/Templates/chart.mustache"),
                .embedInCode("Dashboard/Templates/gallery.mustache"), .embedInCode("Dashboard/Templates/job.mustache"),
                .embedInCode("Dashboard/Templates/jobfilter.mustache"),
                .embedInCode("Dashboard/Templates/jobs.mustache"), .embedInCode("Dashboard/Templates/layout.mustache"),
                .embedInCode("Dashboard/Templates/message.mustache"),
                .embedInCode("Dashboard/Templates/models.mustache"),
                .embedInCode("Dashboard/Templates/overview.mustache"),
                .embedInCode("Dashboard/Templates/pager.mustache"), .embedInCode("Dashboard/Templates/result.mustache"),
                .embedInCode("Dashboard/Templates/schedules.mustache"),
                .embedInCode("Dashboard/Templates/state.mustache"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "PromptCommands",
            dependencies: [
                "Concurrency", "ContactSheets", "PromptConfiguration", "PromptQueue", "JobStore", "KieAPI",
                "MediaStore", "PostgresStore", "StateFiles", argumentParser, crypto, logging, subprocess, systemPackage,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "KieSandbox",
            dependencies: [
                "PromptQueue", argumentParser, asyncHTTPClient, crypto, deque, heap, httpTypes, hummingbird, logging,
                nioCore, nioHTTP1, serviceLifecycle, unixSignals,
            ],
            swiftSettings: settings
        ),

        // The programs: an entry point each.
        .executableTarget(name: "promptd", dependencies: ["PromptDaemon", argumentParser], swiftSettings: settings),
        .executableTarget(
            name: "promptctl",
            dependencies: ["PromptCommands", argumentParser],
            swiftSettings: settings
        ),
        .executableTarget(name: "kie-sandbox", dependencies: ["KieSandbox"], swiftSettings: settings),
        // What is released: the three in one file, under three names.
        .executableTarget(
            name: "promptd-multicall",
            dependencies: ["KieSandbox", "PromptCommands", "PromptDaemon", argumentParser],
            swiftSettings: settings
        ),

        // Simulations, without I/O.
        .target(
            name: "PollingSimulation",
            dependencies: ["PromptQueue"],
            path: "Benchmarks/polling/Simulation",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "polling-benchmark",
            dependencies: ["PollingSimulation", "PromptQueue"],
            path: "Benchmarks/polling/Program",
            swiftSettings: settings
        ),

        // The provider's client alone, as the measure of what a queue adds to it.
        .executableTarget(
            name: "client-benchmark",
            dependencies: ["KieAPI", "PromptQueue"],
            path: "Benchmarks/throughput/Client",
            swiftSettings: settings
        ),

        // The tests.
        .testTarget(
            name: "PromptQueueTests",
            dependencies: ["PromptQueue", "PollingSimulation"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "JobStoreTests",
            dependencies: [
                "EmptyLedger", "JobStore", "LedgerConformance", "Migrations", "PromptQueue", "StateFiles", grdb,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PromptWebTests",
            dependencies: [
                "Concurrency", "ContactSheets", "EmptyLedger", "JobStore", "PromptWeb", "PromptQueue", "RecordedLog",
                coreMetrics,
                crypto,
                httpTypes, hummingbird, hummingbirdTesting,
                logging,
                nioCore, nioEmbedded,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "KieAPITests",
            dependencies: [
                "KieAPI", "KieSandbox", "PromptQueue", asyncHTTPClient, hummingbird, hummingbirdTesting, logging,
                nioCore,
                nioHTTP1, nioSSL,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PromptConfigurationTests",
            dependencies: ["KieAPI", "PromptConfiguration", "PromptQueue"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PromptDaemonTests",
            dependencies: [
                "Concurrency", "MediaStore",
                "PromptConfiguration", "PromptDaemon", "EmptyLedger", "PromptQueue", "PromptWeb", "JobStore", "KieAPI",
                "RecordedLog", "StateFiles", crypto, httpTypes,
                hummingbird,
                hummingbirdTesting, logging, nioCore, serviceLifecycle,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MediaStoreTests",
            dependencies: [
                "Concurrency", "KieAPI", "MediaStore", "PromptQueue", "RecordedLog", httpTypes, hummingbird,
                hummingbirdTesting, logging, nioCore, nioPosix,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PromptCommandsTests",
            dependencies: [
                "ContactSheets", "PromptCommands", "EmptyLedger", "JobStore", "Postgres", "PostgresServer",
                "PostgresStore",
                "PromptQueue", "StateFiles", grdb,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "KieSandboxTests",
            dependencies: [
                "KieSandbox", "PromptQueue", argumentParser, asyncHTTPClient, crypto, hummingbird, hummingbirdTesting,
                httpTypes, nioCore,
            ],
            swiftSettings: settings
        ),
        // What every ledger must do, whatever it is stored in. It knows no store.
        .target(
            name: "LedgerConformance",
            dependencies: ["PromptQueue"],
            path: "Tests/LedgerConformance",
            swiftSettings: settings
        ),
        // A ledger to copy, for tests and the simulation.
        .target(
            name: "EmptyLedger",
            dependencies: ["JobStore"],
            path: "Tests/EmptyLedger",
            swiftSettings: settings
        ),
        // PostgreSQL servers for tests.
        .target(
            name: "PostgresServer",
            dependencies: ["Postgres", "PostgresStore", "PromptQueue"],
            path: "Tests/PostgresServer",
            swiftSettings: settings
        ),
        .testTarget(
            name: "PostgresStoreTests",
            dependencies: ["JobStore", "LedgerConformance", "Postgres", "PostgresServer", "PostgresStore", grdb],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PostgresTests",
            dependencies: ["Postgres", "PostgresServer"],
            swiftSettings: settings
        ),
        // A log that tests read.
        .target(
            name: "RecordedLog",
            dependencies: [logging],
            path: "Tests/RecordedLog",
            swiftSettings: settings
        ),
        // The simulation: engine and ledger in a world of trouble.
        .target(
            name: "Simulation",
            dependencies: [
                "EmptyLedger", "JobStore", "KieAPI", "Postgres", "PostgresServer", "PostgresStore", "PromptQueue", grdb,
                heap,
            ],
            path: "Tests/Simulation",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "promptd-simulate",
            dependencies: ["Simulation", "PromptQueue", argumentParser],
            path: "Tests/promptd-simulate",
            swiftSettings: settings
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["KieAPI", "Simulation", "JobStore", "PromptQueue", grdb],
            swiftSettings: settings
        ),
        // The parsers of foreign bytes, for the tests and for the fuzzer.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "KieAPI", "MediaStore", "PromptCommands", "PromptConfiguration", "PromptDaemon", "PromptQueue",
            ],
            path: "Tests/FuzzTargets",
            swiftSettings: settings
        ),
        .testTarget(
            name: "FuzzTests",
            dependencies: ["FuzzTargets", "PromptQueue"],
            exclude: ["Corpus"],
            swiftSettings: settings
        ),
        // The manual, made from the programs' own help.
        .testTarget(
            name: "ManualTests",
            dependencies: ["KieSandbox", "PromptCommands", "PromptDaemon", argumentParser],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["promptd", "promptctl", "kie-sandbox"],
            swiftSettings: settings
        ),
    ]
)

// libFuzzer brings its own main, and every module is built for it: only when scripts/fuzz asks.
if Context.environment["PROMPTD_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "promptd-fuzz",
            dependencies: ["FuzzTargets"],
            path: "Tests/promptd-fuzz",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]
        )
    )
}
