import Foundation
import PromptQueue
import Testing

@testable import PromptCommands

/// What a server's database has otherwise than a file.
@Suite struct ServerTests {
    private let now = Instant(milliseconds: 1_795_000_000_000)

    private func checks(_ change: (inout ServerHealth) -> Void) -> [Finding] {
        var health = ServerHealth(version: "15.8", versionNumber: 150_008)
        health.now = now
        change(&health)
        return ServerChecks(health: health, now: now).run().filter { $0.level != .ok }
    }

    private func onServer(_ body: (CommandFixture) async throws -> Void) async throws {
        let server = try await CommandServer.shared()
        try await CommandServer.$current.withValue(server) { try await body(CommandFixture()) }
    }

    @Test func `a server on which all is well has no finding`() { #expect(checks { _ in }.isEmpty) }

    @Test func `an old server, and a standby, are faults`() {
        #expect(
            checks { $0 = ServerHealth(version: "14.1", versionNumber: 140_001) }.first?.fix?.contains("15 or newer")
                == true
        )
        let standby = checks { $0.isStandby = true }
        #expect(standby.first?.level == .fault)
        #expect(standby.first?.text.contains("is a standby") == true)
    }

    @Test func `what a crash or a failover may forget is said`() {
        func durability(_ change: (inout ServerHealth) -> Void) -> Finding.Level? {
            checks(change).first { $0.subject == "durability" }?.level
        }
        func standby(_ isSynchronous: Bool) -> ServerHealth.Standby {
            ServerHealth.Standby(name: "b", state: "streaming", isSynchronous: isSynchronous, lag: nil)
        }
        #expect(durability { $0.syncsFiles = false } == .fault)
        #expect(durability { $0.synchronousCommit = "off" } == .fault)
        #expect(durability { $0.writesFullPages = false } == .warning)
        #expect(durability { $0.standbys = [standby(false)] } == .warning)
        #expect(durability { $0.synchronousStandbys = "b" } == .fault)
        #expect(
            durability {
                $0.synchronousStandbys = "b"
                $0.standbys = [standby(true)]
            } == nil
        )
        let late = checks {
            $0.synchronousStandbys = "b"
            $0.standbys = [
                ServerHealth.Standby(name: "b", state: "streaming", isSynchronous: true, lag: .seconds(61)),
                ServerHealth.Standby(name: "c", state: "catchup", isSynchronous: false, lag: nil),
            ]
        }
        #expect(late.map(\.subject) == ["standby", "standby"])
    }

    @Test func `clocks apart, parts that nobody folds, and what keeps VACUUM back are warnings`() {
        #expect(
            checks { $0.now = now + .seconds(11) }.first?.text.hasSuffix("behind the server's, by which jobs are sent")
                == true
        )
        #expect(checks { $0.unfolded = 200_001 }.map(\.subject) == ["sums"])
        #expect(checks { $0.unnumberedFor = .seconds(301) }.isEmpty, "nobody is at work")
        let idle = ServerHealth.Transaction(
            process: 7,
            application: "psql",
            state: "idle in transaction",
            age: .seconds(601)
        )
        #expect(checks { $0.oldestTransaction = idle }.first?.fix?.contains("pg_terminate_backend(7)") == true)
        #expect(checks { $0.vacuums = false }.first?.level == .fault)
        #expect(checks { $0.transactionAge = 1_000_000_001 }.first?.level == .fault)
        #expect(
            checks { $0.tables = [.init(name: "jobs", live: 9, dead: 100_001, bytes: 1)] }.map(\.subject) == ["vacuum"]
        )
        #expect(checks { $0.idleSlots = [.init(name: "s", retained: 5)] }.map(\.subject) == ["slot"])
    }

    @Test func `doctor looks at the server, and says who is at work`() async throws {
        try await onServer { fixture in
            let daemon = try fixture.daemon()
            let lines = try await fixture.run("doctor", "--offline", environment: ["KIE_API_KEY": "k"]).output
            #expect(lines.contains { $0.hasPrefix("ok       server: PostgreSQL ") })
            #expect(lines.contains { $0.hasPrefix("FAULT    durability: fsync is off") })
            #expect(lines.contains { $0.hasPrefix("ok       daemon: 1 at work: promptd, pid ") })
            #expect(lines.contains("ok       sums: agree with the ledger and the jobs"))
            #expect(!lines.contains { $0.contains("SQLite") || $0.contains("directory:") })
            try fixture.sql("UPDATE daemons SET lease_until = now_ms() - 1, heartbeat_at = now_ms() - 60000")
            let later = try await fixture.run("doctor", "--offline").output
            #expect(later.contains { $0.hasPrefix("FAULT    daemon: none is running") })
            withExtendedLifetime(daemon) {}
        }
    }

    @Test(arguments: [["backup", "/nowhere/copy"], ["restore", "/nowhere/copy"]])
    func `what is for files only says what a server has instead`(arguments: [String]) async throws {
        try await onServer { fixture in
            let outcome = try await fixture.run(arguments)
            #expect(outcome.code == 64)
            #expect(outcome.talk.first?.contains("is for database files") == true)
            #expect(outcome.talk.first?.contains("pg_") == true)
        }
    }

    @Test func `a server that is not there, and a database that is not, end a command with 74`() async throws {
        try await onServer { fixture in
            let nowhere = "host=\(fixture.directory) dbname=none user=promptd"
            let outcome = try await fixture.run("status", "--database", nowhere)
            #expect(outcome.code == 74)
            #expect(
                outcome.talk.first?.contains("there is no connection to database none at \(fixture.directory)") == true
            )
            let other = fixture.database.replacing(/dbname=\w+/, with: "dbname=none")
            let missing = try await fixture.run("add", "a fox", "--database", other)
            #expect(missing.code == 74)
            #expect(missing.talk.first?.contains("createdb") == true)
        }
    }

    @Test func `a database without a queue is refused, and init makes one, once`() async throws {
        try await onServer { fixture in
            let empty = fixture.database.replacing(/dbname=\w+/, with: "dbname=template1")
            let refused = try await fixture.run("list", "--database", empty)
            #expect(refused.code == 65)
            let again = try await fixture.run("init")
            #expect(again.code == 0)
            #expect(again.talk.first?.hasSuffix("is up to date") == true)
        }
    }

    @Test func `a password in the address is warned of, and shown nowhere`() async throws {
        try await onServer { fixture in
            let address = fixture.database + " password=sesame"
            for arguments in [["init"], ["status"], ["doctor", "--offline"], ["backup", "x"]] {
                let outcome = try await fixture.run(arguments + ["--database", address])
                #expect(outcome.talk.first?.hasPrefix("warning: --database: a password in an address is seen") == true)
                #expect(!(outcome.talk + outcome.output).joined().contains("sesame"))
            }
            let wrong = "postgresql://promptd:sesame@/none?host=\(fixture.directory)"
            let outcome = try await fixture.run("status", "--database", wrong)
            #expect(!(outcome.talk + outcome.output).joined().contains("sesame"))
            #expect(try await fixture.run("status").talk.allSatisfy { !$0.hasPrefix("warning") })
        }
    }
}
