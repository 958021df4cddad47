import Foundation
import Testing

/// What keeps the daemon from starting, and how it says so.
@Suite(.timeLimit(.minutes(2)))
struct StartTests {
    @Test func `a missing key is exit 78, and the message says where to put one`() async throws {
        try await Stage.with { stage in
            let said = try await stage.refusal(["KIE_API_KEY": ""])
            #expect(said.end == .exit(78))
            for place in ["provider.apiKeyFile", "api-key", "KIE_API_KEY"] { #expect(said.errors.contains(place)) }
            #expect(!FileManager.default.fileExists(atPath: stage.database))
        }
    }

    @Test(arguments: [
        ("limits:\n  submisions: 5\n", "limits.submissions"),
        ("data_base: /tmp/x\n", "database"),
        ("provider:\n  baseUrl: https://api.kie.ai\n", "provider.baseURL"),
    ])
    func `a misspelt key in the file is exit 78, and the message suggests the right one`(
        text: String,
        suggestion: String
    ) async throws {
        try await Stage.with { stage in
            try stage.write(text, to: stage.configuration)
            let said = try await stage.refusal()
            #expect(said.end == .exit(78))
            #expect(said.errors.contains("did you mean \(suggestion)?"))
            #expect(said.errors.contains(stage.configuration))
        }
    }

    @Test func `a misspelt variable is exit 78, and the message suggests the right one`() async throws {
        try await Stage.with { stage in
            let said = try await stage.refusal(["PROMPTD_LIMIT_WINDOW": "10s"])
            #expect(said.end == .exit(78))
            #expect(said.errors.contains("did you mean PROMPTD_LIMITS_WINDOW?"))
        }
    }

    @Test(arguments: [
        ("PROMPTD_LIMITS_WINDOW", "limits.window", "10 parsecs"),
        ("PROMPTD_LIMITS_WINDOW", "limits.window", "0s"),
        ("PROMPTD_SHUTDOWN_GRACE", "shutdown.grace", "-1s"),
        ("PROMPTD_LIMITS_SUBMISSIONS", "limits.submissions", "0"),
        ("PROMPTD_LIMITS_RUNNING", "limits.running", "many"),
        ("PROMPTD_UNCONFIRMED_POLICY", "unconfirmed.policy", "retry"),
        ("PROMPTD_DOWNLOADS_ENABLED", "downloads.enabled", "maybe"),
        ("PROMPTD_PROVIDER_BASE_URL", "provider.baseURL", "api.kie.ai"),
    ])
    func `a value that makes no sense is exit 78, and the message names the key and the value`(
        variable: String,
        key: String,
        value: String
    ) async throws {
        try await Stage.with { stage in
            let said = try await stage.refusal([variable: value])
            #expect(said.end == .exit(78))
            #expect(said.errors.contains(key))
            #expect(said.errors.contains("\"\(value)\""))
            #expect(said.errors.contains(variable))
        }
    }

    @Test func `a configuration file that is named must be there`() async throws {
        try await Stage.with { stage in
            try FileManager.default.removeItem(atPath: stage.configuration)
            let said = try await stage.refusal()
            #expect(said.end == .exit(78))
            #expect(said.errors.contains("\(stage.configuration): no such file"))
        }
    }

    @Test func `an option that does not exist is exit 64`() async throws {
        try await Stage.with { stage in
            let said = try await stage.run("promptd", ["--databse", "x"], environment: [:])
            #expect(said.end == .exit(64))
            #expect(said.errors.contains("--databse"))
        }
    }

    @Test func `checking the configuration changes nothing`() async throws {
        try await Stage.with { stage in
            let said = try await stage.refusal(arguments: ["--check-config"])
            #expect(said.end == .exit(0), "\(said.errors)")
            #expect(!FileManager.default.fileExists(atPath: stage.database))
            #expect(!FileManager.default.fileExists(atPath: stage.media))
        }
    }

    @Test func `a database of a newer schema is exit 65 and stays as it is`() async throws {
        try await Stage.with { stage in
            try await stage.ledger("PRAGMA application_id = 1886548068; PRAGMA user_version = 999")
            let before = FileManager.default.contents(atPath: stage.database)
            let said = try await stage.refusal()
            #expect(said.end == .exit(65))
            #expect(said.errors.contains(stage.database))
            #expect(said.errors.contains("999"))
            #expect(FileManager.default.contents(atPath: stage.database) == before)
        }
    }

    @Test func `another program's database is exit 65 and stays as it is`() async throws {
        try await Stage.with { stage in
            try await stage.ledger("CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1)")
            let before = FileManager.default.contents(atPath: stage.database)
            let said = try await stage.refusal()
            #expect(said.end == .exit(65))
            #expect(said.errors.contains(stage.database))
            #expect(said.errors.contains("is not a database of promptd"))
            #expect(FileManager.default.contents(atPath: stage.database) == before)
        }
    }

    @Test func `a proxy that is set and not used is said`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "100ms", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox, ["HTTPS_PROXY": "http://127.0.0.1:9"])
            #expect(daemon.errors.contains("a proxy is set and is not used"))
            #expect(daemon.errors.contains("variable=HTTPS_PROXY"))
            let job = try await stage.ledger.insert("a fox on the straight way")
            try await stage.ledger.wait(job: job, is: "succeeded")
            try await stage.stop(daemon)
        }
    }

    @Test func `a file that is no database is exit 65 and stays as it is`() async throws {
        try await Stage.with { stage in
            let text = String(repeating: "dear diary, ", count: 500)
            try stage.write(text, to: stage.database)
            let said = try await stage.refusal()
            #expect(said.end == .exit(65))
            #expect(said.errors.contains(stage.database))
            #expect(FileManager.default.contents(atPath: stage.database) == Data(text.utf8))
        }
    }

    @Test func `an older database is brought up to date, and systemd is told to wait for it`() async throws {
        try await Stage.with { stage in
            let migrations = URL(filePath: #filePath).appending(path: "../../../migrations").standardized
            let first = try String(contentsOf: migrations.appending(path: "0014_schema.sql"), encoding: .utf8)
            try await stage.ledger.script(first + "INSERT INTO jobs (prompt) VALUES ('a fox of old');")
            let socket = try NotifySocket(path: "\(stage.folder)/notify")
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox, ["NOTIFY_SOCKET": socket.path])
            #expect(daemon.errors.contains("migrating the database, which may take minutes if it is large"))
            #expect(daemon.errors.contains("step=\"1 of "))
            try await stage.ledger.wait(for: "succeeded", from: "SELECT state FROM jobs")
            try await stage.stop(daemon)
            let told = socket.messages()
            let patience = try #require(told.firstIndex { $0.contains("EXTEND_TIMEOUT_USEC=") })
            let ready = try #require(told.firstIndex { $0.contains("READY=1") })
            #expect(patience < ready)
            #expect(told[patience].contains("STATUS=migrating the database: keeping a copy"))
            #expect(told.contains { $0.contains("STATUS=migrating the database: 1 of ") })
            #expect(FileManager.default.fileExists(atPath: stage.database + ".schema-14"))
        }
    }

    @Test func `a start on a locked database waits for systemd's sake before it ends, and says so`() async throws {
        try await Stage.with { stage in
            let socket = try NotifySocket(path: "\(stage.folder)/notify")
            let first = try await stage.daemon(nil)
            try await stage.stop(first)
            // For longer than the busy timeout of ten seconds.
            let holder = try stage.start(
                "/usr/bin/env",
                ["sqlite3", stage.database, "BEGIN IMMEDIATE;", ".shell echo held >&2; sleep 14", "ROLLBACK;"]
            )
            try await holder.line(with: "held")
            let said = try await stage.refusal([
                "NOTIFY_SOCKET": socket.path, "PROMPTD_TEST_START_PAUSE_SECONDS": "1",
            ])
            #expect(said.end == .exit(75), "\(said.errors)")
            let told = socket.messages()
            #expect(told.contains { $0.contains("EXTEND_TIMEOUT_USEC=31000000\nSTATUS=waiting to start again: ") })
            #expect(!told.contains { $0.contains("READY=1") })
            _ = try await holder.end()
        }
    }

    @Test func `an address that is taken is exit 69, before anything is submitted`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--latency", "500ms")
            let address = String(sandbox.url.dropFirst("http://".count))
            let first = try await stage.daemon(sandbox)
            _ = try await stage.ledger.insert("a fox that is sent already")
            try await stage.stop(first)
            _ = try await stage.ledger.insert("a fox that must wait")
            let settings = stage.environment(sandbox, ["PROMPTD_WEB_LISTEN": address])
            let said = try await stage.run("promptd", ["--config", stage.configuration], environment: settings)
            #expect(said.end == .exit(69))
            #expect(said.errors.contains("web.listen: cannot listen on \(address) (Address already in use)"))
            #expect(try await stage.ledger("SELECT state FROM jobs WHERE id = 2") == "queued")
        }
    }

    @Test func `a directory that is not there or not writable is said by name`() async throws {
        try await Stage.with { stage in
            let missing = try await stage.refusal(["PROMPTD_DATABASE": "\(stage.folder)/nowhere/promptd.sqlite"])
            #expect(missing.end == .exit(77))
            #expect(missing.errors.contains("\(stage.folder)/nowhere/ does not exist"))

            let sealed = "\(stage.folder)/sealed"
            try FileManager.default.createDirectory(atPath: sealed, withIntermediateDirectories: false)
            try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: sealed)
            let database = try await stage.unprivilegedRefusal(["PROMPTD_DATABASE": "\(sealed)/promptd.sqlite"])
            #expect(database.end == .exit(77))
            #expect(database.errors.contains("\(sealed)/ is not writable"))

            let media = try await stage.unprivilegedRefusal(["PROMPTD_MEDIA": sealed])
            #expect(media.end == .exit(73))
            #expect(media.errors.contains("\(sealed): the media directory"))
            let inside = try await stage.unprivilegedRefusal(["PROMPTD_MEDIA": "\(sealed)/media"])
            #expect(inside.end == .exit(73))
            #expect(inside.errors.contains("\(sealed)/media: cannot be made"))
        }
    }
}

extension Stage {
    /// Starts a daemon whose writing the permissions of files do bind: root's capability to override them is dropped.
    fileprivate func unprivilegedRefusal(_ settings: [String: String]) async throws -> Said {
        guard getuid() == 0 else { return try await refusal(settings) }
        return try await run(
            "/usr/bin/env",
            [
                "setpriv", "--bounding-set", "-dac_override,-dac_read_search", Programs.path(of: "promptd"), "--config",
                configuration,
            ],
            environment: environment(nil, settings)
        )
    }
}
