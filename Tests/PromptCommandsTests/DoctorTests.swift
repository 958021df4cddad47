import EmptyLedger
import FoundationEssentials
import Glibc
import JobStore
import PromptQueue
import StateFiles
import Testing

@testable import PromptCommands

/// What the doctor finds, and how it says so.
@Suite(.bothStores) struct DoctorTests {
    /// All but what needs the provider, by the names of the checks.
    private func findings(
        _ fixture: CommandFixture,
        _ arguments: String...,
        environment: [String: String] = [:]
    ) async throws -> (code: Int32, found: [String: JSONObject]) {
        let media = ["PROMPTD_MEDIA": fixture.directory]
        if !arguments.contains("--as-it-is") { unsafe chmod(fixture.database, 0o600) }
        let outcome = try await fixture.run(
            ["doctor", "--offline", "--json"] + arguments.filter { $0 != "--as-it-is" },
            environment: media.merging(environment) { $1 }
        )
        let objects = try outcome.output.map { try JSONValue(parsing: $0).objectValue ?? [:] }
        let worst = Dictionary(objects.map { ($0["check"]?.stringValue ?? "", $0) }) { first, second in
            first["ok"] == true ? second : first
        }
        return (outcome.code, worst)
    }

    private func level(_ found: [String: JSONObject], _ check: String) -> String? {
        found[check]?["level"]?.stringValue
    }

    @Test(.filesOnly) func `what is missing is a fault, and the code is 2`() async throws {
        let fixture = try CommandFixture()
        let (code, found) = try await findings(fixture, "--full")
        #expect(code == 2)
        #expect(Set(found.filter { $0.value["ok"] == false }.keys) == ["daemon", "API key"])
        #expect(found["daemon"]?["fix"] == "systemctl start promptd")
        #expect(level(found, "integrity") == "ok")
    }

    @Test(.filesOnly) func `where all is well the code is 0, and a warning makes it 1`() async throws {
        let fixture = try CommandFixture()
        let lock = try fixture.daemon()
        let key = ["KIE_API_KEY": "k"]
        var (code, found) = try await findings(fixture, environment: key)
        #expect(code == 0, "\(found)")
        unsafe chmod(fixture.database, 0o664)
        (code, found) = try await findings(fixture, "--as-it-is", environment: key)
        #expect(code == 1)
        #expect(level(found, "modes") == "warning")
        #expect(found["modes"]?["fix"] == .string("chmod o= \(fixture.database)"))
        withExtendedLifetime(lock) {}
    }

    @Test(.filesOnly) func `a key that only the daemon may read is not missing`() async throws {
        let fixture = try CommandFixture()
        let lock = try fixture.daemon()
        let (code, found) = try await findings(fixture)
        #expect(code == 0, "\(found)")
        #expect(found["API key"]?["message"] == "this user has none; the daemon's is not refused")
        try fixture.sql("INSERT INTO gates (name, queue, closed_at, message) VALUES ('key', '', 1, 'refused')")
        #expect(try await findings(fixture).code == 2)
        withExtendedLifetime(lock) {}
    }

    @Test(.filesOnly) func `a daemon that writes nothing any more is stuck, and what is held is said`() async throws {
        let fixture = try CommandFixture()
        let lock = try fixture.daemon()
        let old = fixture.instant.milliseconds - 61_000
        try fixture.sql("UPDATE daemon SET heartbeat_at = \(old)")
        try fixture.sql("INSERT INTO gates (name, queue, closed_at, message) VALUES ('credits', '', 1, 'top up')")
        let (code, found) = try await findings(fixture, environment: ["KIE_API_KEY": "k"])
        #expect(code == 2)
        #expect(
            found["daemon"]?["message"]?.stringValue?.hasSuffix("has written nothing for 61 s") == true,
            "\(found)"
        )
        #expect(found["gates"]?["message"] == "credits: top up")
        #expect(level(found, "gates") == "warning")
        withExtendedLifetime(lock) {}
    }

    @Test func `unconfirmed jobs and an older copy are said, with the way out`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox")
        try await fixture.submit(.unconfirmed)
        try fixture.sql("UPDATE daemon SET restored_at = 5, restored_requests = 3, restored_job_id = 1")
        let (_, found) = try await findings(fixture)
        #expect(found["jobs"]?["message"] == "1 job unconfirmed, which may have been paid for")
        #expect(level(found, "restored") == "fault")
        #expect(found["restored"]?["fix"] == "promptctl restored says what is known and how to go on")
    }

    @Test(.filesOnly) func `the kept sums are compared with the rows, and put right when told`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox")
        try fixture.sql("UPDATE queue_counts SET jobs = 40")
        func sums(_ arguments: String...) async throws -> [String] {
            try await fixture.run(["doctor", "--offline"] + arguments).output.filter { $0.contains("sums:") }
        }
        let found = try await sums()
        #expect(found.count == 1)
        #expect(found[0].contains("FAULT    sums: "))
        #expect(found[0].contains("queue_counts (default, queued): 40, but the rows add up to 1"))
        #expect(found[0].contains("promptctl doctor --rebuild-sums"))
        #expect(try await sums("--rebuild-sums")[0].contains("ok       sums: rebuilt: queue_counts (default, queued)"))
        #expect(try await sums() == ["ok       sums: agree with the ledger and the jobs"])
    }

    @Test func `a media directory that is not there is a fault`() async throws {
        let fixture = try CommandFixture()
        #expect(level(try await findings(fixture).found, "media") == "ok")
        let missing = fixture.directory + "/none"
        let (_, found) = try await findings(fixture, environment: ["PROMPTD_MEDIA": missing])
        #expect(found["media"]?["message"] == .string("\(missing): No such file or directory"))
        #expect(level(found, "media") == "fault")
    }

    @Test func `a token that every user can read is a warning`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write("a-token-of-some-length", "web-token")
        let environment = ["PROMPTD_WEB_TOKEN_FILE": file]
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
        #expect(try await findings(fixture, environment: environment).found["web token"] == nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
        let found = try await findings(fixture, environment: environment).found
        #expect(level(found, "web token") == "warning")
        #expect(found["web token"]?["fix"]?.stringValue?.contains("chmod o= \(file)") == true)
        // Where there are no pages, there is nothing that it opens.
        let off = environment.merging(["PROMPTD_WEB_LISTEN": "off"]) { $1 }
        #expect(try await findings(fixture, environment: off).found["web token"] == nil)
    }

    @Test(.filesOnly) func `a root for uploads that is not there is a warning`() throws {
        let fixture = try CommandFixture()
        func run(_ roots: String...) -> [String] {
            MachineChecks(database: fixture.place, media: nil, uploadRoots: roots).run()
                .filter { $0.subject == "uploads" }.map { "\($0.level.rawValue) \($0.text)" }
        }
        let directory = fixture.directory
        #expect(run() == [])
        #expect(
            run(directory, directory + "/none") == [
                "ok \(directory): jobs may name its files",
                "warning \(directory)/none: is no directory that this user can read",
            ]
        )
        try FileManager.default.createDirectory(
            atPath: fixture.database + "-uploads",
            withIntermediateDirectories: false
        )
        #expect(run() == ["ok \(fixture.database)-uploads: files can be put there"])
    }

    @Test func `the unit is known by systemd's own files`() throws {
        let fixture = try CommandFixture()
        let root = fixture.directory + "/root"
        func run() -> [String] {
            MachineChecks(database: fixture.place, media: nil, root: root).run().filter { $0.subject == "unit" }
                .map { "\($0.level.rawValue) \($0.text)" }
        }
        func make(_ folder: String) throws {
            try FileManager.default.createDirectory(atPath: root + folder, withIntermediateDirectories: true)
        }
        #expect(run() == [])
        for folder in [
            "/run/systemd/system", "/run/systemd/units", "/usr/lib/systemd/system",
            "/etc/systemd/system/multi-user.target.wants",
        ] { try make(folder) }
        #expect(run() == [])
        try fixture.write("", "root/usr/lib/systemd/system/promptd.service")
        #expect(run() == ["warning is not started at boot"])
        let wants = root + "/etc/systemd/system/multi-user.target.wants/promptd.service"
        try FileManager.default.createSymbolicLink(atPath: wants, withDestinationPath: "/none")
        #expect(run() == ["warning is enabled, and not active"])
        let active = root + "/run/systemd/units/invocation:promptd.service"
        try FileManager.default.createSymbolicLink(atPath: active, withDestinationPath: "0123")
        #expect(run() == ["ok enabled and active"])
    }
}
