import FoundationEssentials
import Glibc
import JobStore
import PromptQueue
import Testing

@testable import PromptCommands

/// `promptctl hooks`, and the word at the end of `promptctl wait`.
@Suite(.bothStores) struct HookCommandTests {
    private static let instant = 1_795_000_000_000

    private func fixture(_ rows: String...) throws -> CommandFixture {
        let fixture = try CommandFixture()
        for row in rows {
            try fixture.sql(
                "INSERT INTO hook_deliveries (hook, event, job_id, subject, at, next_at, state, attempts, last_error, ended_at) VALUES \(row)"
            )
        }
        return fixture
    }

    private static let pending =
        "('shop', 'succeeded', 7, NULL, \(instant), \(instant), 'pending', 2, 'status 500', NULL)"
    private static let dead =
        "('mail', 'gate.closed', NULL, 'credits', \(instant), \(instant), 'dead', 24, 'exit status 1', \(instant))"
    private static let done = "('shop', 'failed', 8, NULL, \(instant), \(instant), 'delivered', 1, NULL, \(instant))"

    @Test func `what waits and what was given up is listed, and what was delivered on demand`() async throws {
        let fixture = try fixture(Self.pending, Self.dead, Self.done)
        let shown = try await fixture.run("hooks", "list").output
        #expect(shown.count == 3)
        #expect(shown[1].contains("mail") && shown[1].contains("gate.closed") && shown[1].contains("exit status 1"))
        #expect(shown[2].contains("job 7") && shown[2].contains("pending"))
        #expect(try await fixture.run("hooks", "list", "--dead").output.count == 2)
        #expect(try await fixture.run("hooks", "list", "--all").output.count == 4)
        let objects = try await fixture.run("hooks", "list", "--all", "--json", "--limit", "1").output
        #expect(try JSONValue(parsing: objects[0]).objectValue?["state"] == "delivered")
        #expect(try await fixture.run("hooks", "list", "--all", "--dead").code == 64)
    }

    @Test func `what was given up is told once more, and what is not there is said`() async throws {
        let fixture = try fixture(Self.pending, Self.dead)
        let outcome = try await fixture.run("hooks", "retry", "--dead")
        #expect(outcome.talk == ["1 delivery will be made once more"])
        #expect(try await fixture.run("hooks", "list", "--dead").talk == ["there are no hooks in the configuration"])
        let missing = try await fixture.run("hooks", "retry", "1", "99")
        #expect(missing.code == 65)
        #expect(missing.talk.joined().contains("1 of 2 deliveries"))
        #expect(try await fixture.run("hooks", "retry").code == 64)
        #expect(try await fixture.run("hooks", "test", "nobody").code == 65)
    }

    @Test func `the doctor names what was given up`() async throws {
        let fixture = try fixture(Self.dead, Self.pending)
        unsafe chmod(fixture.database, 0o600)
        let outcome = try await fixture.run(
            "doctor",
            "--offline",
            "--json",
            environment: ["PROMPTD_MEDIA": fixture.directory, "KIE_API_KEY": "k"]
        )
        let found = try outcome.output.map { try JSONValue(parsing: $0).objectValue ?? [:] }.first {
            $0["check"] == "hooks"
        }
        #expect(found?["level"] == "warning")
        #expect(found?["fix"]?.stringValue?.contains("promptctl hooks retry --dead") == true)
    }

    @Test(arguments: [true, false])
    func `wait tells the terminal and the desktop, where there are any`(_ isOnDesktop: Bool) async throws {
        let fixture = try CommandFixture()
        try fixture.sql("INSERT INTO jobs (prompt) VALUES ('x'); UPDATE jobs SET state = 'cancelled'")
        let (program, told) = (fixture.directory + "/notify-send", fixture.directory + "/told")
        try Data("#!/bin/sh\nprintf '%s\\n' \"$@\" >'\(told)'\n".utf8).write(to: URL(filePath: program))
        unsafe chmod(program, 0o755)
        var environment = ["PATH": "\(fixture.directory):/usr/bin:/bin"]
        if isOnDesktop {
            environment["DISPLAY"] = ":0"
            environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/dev/null"
        }
        let outcome = try await fixture.run(["wait", "1", "--notify"], environment: environment, terminal: true)
        #expect(outcome.code == 1)
        #expect(outcome.talk.joined().contains("\u{1B}]9;promptd: 1 job ended, not all well\u{1B}\\\u{07}"))
        let text = try? String(contentsOf: URL(filePath: told), encoding: .utf8)
        #expect(text == (isOnDesktop ? "--app-name=promptctl\n--\npromptd\npromptd: 1 job ended, not all well\n" : nil))
        let quiet = try await fixture.run(["wait", "1"], environment: environment, terminal: true)
        #expect(!quiet.talk.joined().contains("]9;"))
    }
}
