import FoundationEssentials
import Glibc
import JobStore
import PromptQueue
import StateFiles
import Testing

@testable import PromptCommands

@Suite(.bothStores) struct ProgramTests {
    private static let endings: [([String], Int32)] = [
        (["--version"], 0), (["--help"], 0), ([], 0), (["help", "add"], 0), (["no-such-command"], 64),
        (["list", "--state", "nonsense"], 64), (["list", "--limit", "0"], 64), (["show"], 64), (["show", "x"], 64),
        (["show", "9"], 65), (["wait"], 64), (["wait", "9"], 65), (["wait", "--batch", "none"], 65),
        (["wait", "1", "--timeout", "ten"], 64), (["add", "a fox", "--max-attempts", "21"], 64),
        (["add", "a fox", "--at", "tomorrow"], 64), (["add", "a", "b", "--unique", "k"], 64),
        (["add", "a fox", "--input", "novalue"], 64), (["models", "nonsense"], 65), (["credits"], 78), (["watch"], 64),
        (["resolve", "1"], 64), (["resolve", "1", "--fail"], 65), (["resolve", "1", "--fail", "--resubmit"], 64),
        (["completions", "tcsh"], 64),
    ]

    @Test(arguments: endings)
    func `exit codes follow sysexits`(arguments: [String], code: Int32) async throws {
        let outcome = try await CommandFixture().run(arguments)
        #expect(outcome.code == code)
        if code != 0 {
            #expect(outcome.output == [])
            #expect(outcome.talk.first?.hasPrefix("promptctl: ") == true)
        }
    }

    @Test func `the database is named before or after the command, or by the environment`() async throws {
        let fixture = try CommandFixture()
        let nowhere = ["PROMPTD_DATABASE": fixture.directory + "/none.sqlite"]
        let path = fixture.database
        #expect(try await fixture.run(["--database", path, "list"], environment: nowhere).code == 0)
        #expect(try await fixture.run(["list", "--database", path], environment: nowhere).code == 0)
        let missing = try await fixture.run(["list"], environment: nowhere)
        #expect(missing.code == 65)
        #expect(missing.talk.first?.contains("no such database; make it with: promptctl --database") == true)
    }

    @Test func `a database is made once, and left alone after that`() async throws {
        let fixture = try CommandFixture()
        let path = fixture.directory + "/new.sqlite"
        #expect(try await fixture.run("init", "--database", path).talk == ["created \(path)"])
        #expect(try await fixture.run("add", "a fox", "--database", path).code == 0)
        #expect(try await fixture.run("init", "--database", path).talk == ["\(path) is up to date"])
        #expect(try await fixture.run("show", "1", "--database", path).code == 0)
        let nowhere = try await fixture.run("init", "--database", fixture.directory + "/none/q.sqlite")
        #expect(nowhere.code == 73)
    }

    @Test func `a file that is no database of promptd is refused and not touched`() async throws {
        let fixture = try CommandFixture()
        let path = try fixture.write("this is a letter to my aunt", "letter.sqlite")
        for command in ["list", "init"] {
            #expect(try await fixture.run(command, "--database", path).code == 65)
        }
        #expect(FileManager.default.contents(atPath: path) == Data("this is a letter to my aunt".utf8))
    }

    @Test(.filesOnly) func `a backup is a whole database, and never replaces a file`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox")
        let copy = fixture.directory + "/copy.sqlite"
        #expect(try await fixture.run("backup", copy).code == 0)
        #expect(try await fixture.run("show", "1", "--database", copy).code == 0)
        #expect(try await fixture.run("backup", copy).code == 73)
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
        #expect(!names.contains { $0.hasSuffix(".partial") })
    }

    @Test(.filesOnly) func `an older database is not migrated under a running promptd`() async throws {
        let fixture = try CommandFixture()
        try fixture.sql("PRAGMA user_version = 14")
        let lock = try OwnerLock(database: fixture.database)
        let refused = try await fixture.run("init")
        #expect(refused.code == 75)
        #expect(refused.talk.joined().contains("a running promptd (pid \(getpid())) works on it; stop that first"))
        #expect(try await fixture.run("status").code == 65, "nothing was changed")
        withExtendedLifetime(lock) {}
    }

    @Test func `the settings of the daemon's file hold for the commands, too`() async throws {
        let fixture = try CommandFixture()
        let other = fixture.directory + "/other.sqlite"
        let file = try fixture.write(
            "database: \(other)\ncatalogue:\n  unknownModels: allow\nprovider:\n  apiKeyFile: /none\n",
            "promptd.yaml"
        )
        let environment = ["PROMPTD_DATABASE": "", "KIE_API_KEY": "k"]
        _ = try await fixture.run("init", "--config", file, environment: environment)
        #expect(FileManager.default.fileExists(atPath: other))
        let add = ["add", "x", "--model", "a/model-that-is-not-known", "--config", file]
        #expect(try await fixture.run(add, environment: environment).code == 0)
        let credits = try await fixture.run("credits", "--config", file, environment: environment)
        #expect(credits.code == 78)
        #expect(credits.talk.joined().contains("provider.apiKeyFile: /none cannot be read"))
    }

    @Test func `a setting that is wrong is named, and only a warning where the database is named`() async throws {
        let file = "/tmp/promptctl-\(UUID().uuidString).yaml"
        try Data("limits:\n  running: many\n".utf8).write(to: URL(filePath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let fixture = try CommandFixture { $0.configurationFile = file }
        let problem = "limits.running: \"many\" is not a whole number from 1 to 1000000 (\(file))"
        let refused = try await fixture.run("list", environment: ["PROMPTD_DATABASE": ""])
        #expect(refused.code == 78 && refused.talk == ["promptctl: \(problem)"])
        let warned = try await fixture.run("list")
        #expect(warned.code == 0 && warned.talk.first == "warning: \(problem)")
        #expect(try await fixture.run("list", "--config", file).code == 78)
        #expect(try await fixture.run("list", "--config", "/none.yaml").talk == ["promptctl: /none.yaml: no such file"])
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `every shell gets its completions`(shell: String) async throws {
        let outcome = try await CommandFixture().run("completions", shell)
        #expect(outcome.code == 0)
        #expect(outcome.output.contains { $0.contains("promptctl") })
    }

    @Test func `no secret is shown when a key is refused`() async throws {
        let outcome = try await CommandFixture().run(["credits"], environment: ["KIE_API_KEY": "very secret key"])
        #expect(outcome.code == 78)
        #expect(!outcome.talk.joined().contains("secret key"))
    }
}

@Suite(.bothStores) struct WaitTests {
    @Test func `all succeeded is success`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "a dog", "--batch", "b")
        try await fixture.submit(.succeeded, .succeeded)
        let outcome = try await fixture.run("wait", "--batch", "b")
        #expect(outcome.code == 0)
        #expect(outcome.output == [])
        #expect(outcome.talk == ["2 succeeded, 0 failed · 28 credits charged"])
    }

    @Test func `one failure is a failure`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "a dog")
        try await fixture.submit(.succeeded, .failed)
        let outcome = try await fixture.run("wait", "1", "2", "--json")
        #expect(outcome.code == 1)
        #expect(outcome.talk == ["1 succeeded, 1 failed · 14 credits charged", "1 failed: content_refused 1"])
        let report = try JSONValue(parsing: outcome.output.joined()).objectValue
        #expect(report?["failed"] == 1)
        #expect(report?["charged_credits"] == 14)
        #expect(report?["errors"] == .object(["content_refused": 1]))
    }

    @Test func `the time runs out`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "a dog")
        try await fixture.submit(.unconfirmed)
        let began = fixture.instant
        let outcome = try await fixture.run("wait", "1", "2", "--timeout", "10m")
        #expect(outcome.code == 75)
        #expect(
            outcome.talk == [
                "promptd is not running on this database; waiting for somebody to start it",
                "1 job is unconfirmed: promptctl show 1",
                "0 succeeded, 0 failed, 1 queued, 1 unconfirmed · 0 credits charged",
                "promptctl: 2 jobs of 2 not ended within 10m",
            ]
        )
        #expect(fixture.instant - began == .seconds(600))
    }

    @Test func `what ends while one waits is noticed`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox")
        let waiting = try CommandFixture { console in
            console.sleep = { _ in try await fixture.submit(.succeeded) }
        }
        let outcome = try await waiting.run("wait", "1", "--database", fixture.database)
        #expect(outcome.code == 0)
    }

    @Test func `on a terminal there is a bar that ends at 100 %`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox")
        try await fixture.submit(.succeeded)
        let outcome = try await fixture.run("wait", "1", terminal: true)
        #expect(outcome.talk.first?.contains("1 of 1 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 100 %  14 credits") == true)
    }
}
