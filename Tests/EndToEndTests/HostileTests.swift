import Foundation
import Testing

/// What strangers and accidents do to the files and the listeners, with real processes.
@Suite(.timeLimit(.minutes(2)))
struct HostileTests {
    static let losses = ["deleted", "moved", "replaced", "its log deleted"]

    @Test(arguments: losses)
    func `a database that is lost while promptd runs ends it, and says what was under way`(how: String) async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "1h", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox)
            let job = try await stage.ledger.insert("a fox that is paid for")
            try await stage.ledger.wait(job: job, is: "running")
            let task = try await stage.ledger("SELECT task_id FROM jobs")
            let files = FileManager.default
            switch how {
            case "moved": try files.moveItem(atPath: stage.database, toPath: stage.database + ".old")
            case "replaced":
                try files.copyItem(atPath: stage.database, toPath: stage.database + ".copy")
                try #require(unsafe rename(stage.database + ".copy", stage.database) == 0)
            case "its log deleted": try files.removeItem(atPath: stage.database + "-wal")
            default: try files.removeItem(atPath: stage.database)
            }
            #expect(try await daemon.end(within: .seconds(15)) == .exit(65))
            #expect(daemon.errors.contains("Put the right file back"))
            #expect(daemon.errors.contains("under way when the database was lost"))
            #expect(daemon.errors.contains("task.id=\(task)"))
            #expect(!daemon.errors.contains("everything is recorded"))
        }
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require((attributes[.posixPermissions] as? NSNumber)?.intValue) & 0o777
    }

    @Test(arguments: [0o755, 0o2770])
    func `nobody else reads a new database, nor a copy of it`(directory: Int) async throws {
        try await Stage.with { stage in
            let expected = directory & 0o2000 != 0 ? 0o660 : 0o600
            try FileManager.default.setAttributes([.posixPermissions: directory], ofItemAtPath: stage.folder)
            let sandbox = try await stage.sandbox()
            let daemon = try await stage.daemon(sandbox)
            #expect(try mode(stage.database) == expected)
            #expect(try mode(stage.database + "-wal") == expected)
            #expect(try mode(stage.database + "-shm") == expected)
            let copy = stage.folder + "/copy.sqlite"
            let backup = try await stage.run("promptctl", ["--database", stage.database, "backup", copy])
            #expect(backup.end == .exit(0), "\(backup.errors)")
            #expect(try mode(copy) == expected)
            try await stage.stop(daemon)
            let other = stage.folder + "/other.sqlite"
            #expect(try await stage.run("promptctl", ["--database", other, "init"]).end == .exit(0))
            #expect(try mode(other) == expected)
        }
    }

    @Test func `a list that nobody gets is an error, and what was added is there`() async throws {
        try await Stage.with { stage in
            let arguments = ["--database", stage.database]
            #expect(try await stage.run("promptctl", arguments + ["init"]).end == .exit(0))
            let program = Programs.path(of: "promptctl")
            let said = try await stage.run(
                "/usr/bin/env",
                ["bash", "-c", "'\(program)' --database '\(stage.database)' add 'a fox' 'a heron' > /dev/full"]
            )
            #expect(said.end == .exit(74))
            #expect(said.errors.contains("standard output cannot be written: No space left on device"))
            #expect(try await stage.ledger.number("SELECT count(*) FROM jobs") == 2)
        }
    }

    @Test func `two thousand idle connections keep nobody out, and jobs and callbacks go on`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            let (web, callbacks) = (try CallbackAddress(), try CallbackAddress())
            let daemon = try await stage.daemon(
                sandbox,
                callbacks.settings().merging(["PROMPTD_WEB_LISTEN": "127.0.0.1:\(web.port)"]) { $1 }
            )
            var strangers: [RunningProgram] = []
            // Each may open a thousand files.
            for _ in 0..<4 { strangers.append(try await stage.idlers(250, on: web.port, callbacks.port)) }
            let job = try await stage.ledger.insert("a fox in a crowd")
            try await stage.ledger.wait(job: job, is: "succeeded")
            #expect(try await web.status("GET", "/healthz") == 200)
            #expect(try await web.status("GET", "/readyz") == 200)
            #expect(
                try await callbacks.status("POST", "/callbacks/kie/" + String(repeating: "0", count: 32), body: "{}")
                    == 404
            )
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.pid)/fd").count
            #expect(open < 400, "\(open) descriptors")
            _ = try await eventually("the provider's callback is taken", explain: { daemon.tail }) {
                try await sandbox.statistics().callbacks.delivered > 0 ? true : nil
            }
            for stranger in strangers { stranger.send(SIGKILL) }
            try await stage.stop(daemon)
        }
    }

    @Test func `a listener for this machine answers to its own names only`() async throws {
        try await Stage.with { stage in
            let web = try CallbackAddress()
            let daemon = try await stage.daemon(nil, ["PROMPTD_WEB_LISTEN": "127.0.0.1:\(web.port)"])
            for (host, status) in [
                ("127.0.0.1:\(web.port)", 200), ("LOCALHOST", 200), ("[::1]:1", 200), ("evil.example", 421),
                ("127.0.0.1.evil.example:1", 421), ("192.0.2.1", 421),
            ] {
                let script = """
                    exec 3<>/dev/tcp/127.0.0.1/\(web.port)
                    printf 'GET /metrics HTTP/1.1\\r\\nHost: \(host)\\r\\nConnection: close\\r\\n\\r\\n' >&3
                    head -n 1 <&3
                    """
                let said = try await stage.run("/usr/bin/env", ["bash", "-c", script])
                #expect(said.output.hasPrefix("HTTP/1.1 \(status) "), "\(host): \(said.output)")
            }
            try await stage.stop(daemon)
        }
    }

    @Test func `readiness tells of a database that somebody holds locked, within seconds`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox()
            let web = try CallbackAddress()
            let daemon = try await stage.daemon(sandbox, ["PROMPTD_WEB_LISTEN": "127.0.0.1:\(web.port)"])
            #expect(try await web.status("GET", "/readyz") == 200)
            let holder = try stage.start(
                "/usr/bin/env",
                [
                    "bash", "-c",
                    "exec sqlite3 -cmd '.timeout 20000' '\(stage.database)' < <(echo 'BEGIN IMMEDIATE; SELECT 1234;'; sleep 60)",
                ]
            )
            try await holder.line(with: "1234")
            let start = ContinuousClock.now
            _ = try await eventually(
                "readiness is denied",
                within: .seconds(8),
                every: .milliseconds(200),
                explain: { "" }
            ) {
                try await web.status("GET", "/readyz") == 503 ? true : nil
            }
            #expect(ContinuousClock.now - start < .seconds(8))
            holder.send(SIGKILL)
            _ = try await eventually(
                "readiness is back",
                within: .seconds(30),
                every: .milliseconds(300),
                explain: { "" }
            ) {
                try await web.status("GET", "/readyz") == 200 ? true : nil
            }
            try await stage.stop(daemon)
        }
    }
}
