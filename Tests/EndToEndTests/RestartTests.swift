import Foundation
import Glibc
import Testing

/// The end of the daemon, wanted or not, and what the next one makes of it.
@Suite(.timeLimit(.minutes(2)))
struct RestartTests {
    @Test func `SIGTERM lets the requests under way be answered and recorded, and exits 0`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s", "--latency", "2s")
            let first = try await stage.daemon(sandbox)
            try await stage.ledger(
                "INSERT INTO jobs (prompt) VALUES ('a fox, one'), ('a fox, two'), ('a fox, three')"
            )
            // The first goes alone; its answer lets two go at once.
            try await stage.ledger.wait(for: "2", from: "SELECT count(*) FROM attempts WHERE state = 'sending'")
            first.send(SIGTERM)
            #expect(try await first.end() == .exit(0))
            #expect(first.errors.contains("everything is recorded"))
            #expect(try await stage.ledger("SELECT DISTINCT state FROM attempts") == "accepted")
            #expect(try await stage.ledger("SELECT DISTINCT state FROM jobs") == "running")
            #expect(try await stage.ledger("SELECT pid IS NULL, stopped_at IS NOT NULL FROM daemon_status") == "1|1")
            // The log is copied into the database: one file is all there is to back up.
            #expect(!FileManager.default.fileExists(atPath: stage.database + "-wal"))

            let second = try await stage.daemon(sandbox)
            try await stage.ledger.wait(for: "succeeded", from: "SELECT DISTINCT state FROM jobs")
            #expect(try await sandbox.statistics().createTask.arrivals == 3)
            try await stage.stop(second)
        }
    }

    @Test func `what has no answer when the grace is over is unconfirmed`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--latency", "20s")
            let first = try await stage.daemon(sandbox, ["PROMPTD_SHUTDOWN_GRACE": "1s"])
            let job = try await stage.ledger.insert("a fox without an answer")
            try await stage.ledger.wait(for: "sending", from: "SELECT state FROM attempts")
            first.send(SIGTERM)
            #expect(try await first.end() == .exit(0), "\(first.tail)")
            #expect(try await stage.ledger("SELECT state FROM jobs WHERE id = \(job)") == "unconfirmed")
            #expect(try await stage.ledger("SELECT state, reserved_millicredits > 0 FROM attempts") == "unknown|1")
        }
    }

    @Test func `a second signal ends at once, and what was under way is unconfirmed at the next start`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--latency", "20s")
            let first = try await stage.daemon(sandbox)
            try await stage.ledger.insert("a fox without an answer")
            try await stage.ledger.wait(for: "sending", from: "SELECT state FROM attempts")
            first.send(SIGINT)
            try await first.line(with: "stopping")
            first.send(SIGINT)
            #expect(try await first.end() == .exit(75))

            let second = try await stage.daemon(sandbox)
            #expect(try await stage.ledger("SELECT state, error_code FROM jobs") == "unconfirmed|answer_lost")
            try await stage.stop(second)
        }
    }

    @Test func `after kill -9 a task that was accepted is asked about, not paid for again`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "500ms", "--jitter", "0s")
            let first = try await stage.daemon(sandbox)
            let job = try await stage.ledger.insert("a fox that outlives its daemon")
            try await stage.ledger.wait(job: job, is: "running")
            first.send(SIGKILL)
            #expect(try await first.end() == .signal(SIGKILL))

            let second = try await stage.daemon(sandbox)
            try await stage.ledger.wait(job: job, is: "succeeded")
            #expect(try await sandbox.statistics().createTask.arrivals == 1)
            #expect(try await stage.ledger("SELECT count(*), min(state) FROM attempts") == "1|accepted")
            try await stage.expectMediaMatchesResults()
            try await stage.stop(second)
        }
    }

    @Test func `after kill -9 a request without an answer is unconfirmed`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--latency", "20s")
            let first = try await stage.daemon(sandbox)
            let job = try await stage.ledger.insert("a fox in the wire")
            try await stage.ledger.wait(for: "sending", from: "SELECT state FROM attempts")
            first.send(SIGKILL)
            _ = try await first.end()

            let second = try await stage.daemon(sandbox)
            try await second.line(with: "promptd ended before the answer came")
            #expect(try await stage.ledger("SELECT state FROM jobs WHERE id = \(job)") == "unconfirmed")
            #expect(try await stage.ledger("SELECT state, reserved_millicredits > 0 FROM attempts") == "unknown|1")
            try await stage.stop(second)
        }
    }

    @Test func `a second daemon on the same database exits 75 and names the first`() async throws {
        try await Stage.with { stage in
            let first = try await stage.daemon(nil)
            let second = try await stage.refusal()
            #expect(second.end == .exit(75))
            #expect(second.errors.contains("pid \(first.pid)"))
            #expect(first.isRunning)
            try await stage.stop(first)
            try await stage.stop(try await stage.daemon(nil))
        }
    }

    @Test(arguments: ["a symbolic link", "a deleted lock file", "a hard link", "a bind mount"])
    func `a second daemon finds the first under whatever name the database goes`(way: String) async throws {
        try await Stage.with { stage in
            let first = try await stage.daemon(nil)
            let other = "\(stage.folder)/other"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            let link = "\(other)/link.sqlite"
            var settings = ["PROMPTD_MEDIA": "\(stage.folder)/other-media", "PROMPTD_DATABASE": link]
            switch way {
            case "a symbolic link":
                try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: stage.database)
            case "a hard link":
                try FileManager.default.linkItem(atPath: stage.database, toPath: link)
            case "a bind mount":
                try stage.write("", to: link)
                guard unsafe mount(stage.database, link, nil, UInt(MS_BIND), nil) == 0 else {
                    try await stage.stop(first)
                    try Test.cancel("root alone may mount")
                }
            default:
                try FileManager.default.removeItem(atPath: stage.database + ".lock")
                settings["PROMPTD_DATABASE"] = stage.database
            }
            let second = try await stage.refusal(settings)
            if way == "a hard link" {
                #expect(second.end == .exit(65))
                #expect(second.errors.contains("hard links"))
            } else {
                #expect(second.end == .exit(75))
                #expect(second.errors.contains("pid \(first.pid)"), "\(second.errors)")
                // Beside a file that is mounted alone there is no log, so nothing is read there.
                guard way != "a bind mount" else {
                    #expect(unsafe umount2(link, CInt(MNT_DETACH)) == 0)
                    return try await stage.stop(first)
                }
                let status = try await stage.run(
                    "promptctl",
                    ["--database", settings["PROMPTD_DATABASE"] ?? "", "status"]
                )
                #expect(status.output.contains("pid \(first.pid)"))
            }
            #expect(first.isRunning)
            try FileManager.default.removeItem(atPath: other)
            try await stage.stop(first)
        }
    }

    @Test func `a new database does not write over the results of an old one`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            let first = try await stage.daemon(sandbox)
            try await stage.ledger.wait(job: try await stage.ledger.insert("the first picture"), is: "succeeded")
            try await stage.stop(first)
            let file = "\(stage.media)/default/1-0.png"
            let bytes = FileManager.default.contents(atPath: file)
            for suffix in ["", "-wal", "-shm", ".lock"] {
                try? FileManager.default.removeItem(atPath: stage.database + suffix)
            }
            let second = try await stage.refusal()
            #expect(second.end == .exit(73))
            #expect(second.errors.contains("another database"))
            // Whoever says that it takes the old one's place still loses nothing.
            try FileManager.default.removeItem(atPath: "\(stage.media)/.promptd")
            let third = try await stage.daemon(sandbox)
            try await stage.ledger.wait(job: try await stage.ledger.insert("the second picture"), is: "succeeded")
            #expect(FileManager.default.contents(atPath: file) == bytes)
            #expect(try await stage.ledger("SELECT path FROM results") == "default/1-0~2.png")
            try await stage.stop(third)
        }
    }

    @Test(arguments: ["SIGKILL", "SIGTERM"])
    func `an accepted task that could not be recorded outlives the process, and is taken up at the next start`(
        end: String
    ) async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s", "--latency", "3s")
            let first = try await stage.daemon(sandbox, ["PROMPTD_SHUTDOWN_GRACE": "1s"])
            try await stage.ledger.insert("a paid picture")
            try await stage.ledger.wait(for: "sending", from: "SELECT state FROM attempts")
            // Somebody holds the database for longer than anybody waits, and promptd dies meanwhile.
            let holder = try stage.start(
                "/usr/bin/sqlite3",
                [
                    "-cmd", "BEGIN IMMEDIATE", "-cmd", "SELECT 'held'", "-cmd", ".shell sleep 60", stage.database,
                    "SELECT 1",
                ]
            )
            try await first.line(with: "it is kept beside the database")
            switch end {
            case "SIGKILL":
                first.send(SIGKILL)
                _ = try await first.end()
            default:
                first.send(SIGTERM)
                let end = try await first.end()
                #expect(end == .exit(75), "\(end) \(first.tail)")
            }
            holder.send(SIGKILL)
            _ = try await holder.end()
            let task = try await sandbox.statistics().createTask.arrivals
            #expect(task == 1)
            #expect(FileManager.default.fileExists(atPath: stage.database + "-outcomes"))

            let second = try await stage.daemon(sandbox)
            try await stage.ledger.wait(for: "succeeded", from: "SELECT state FROM jobs")
            #expect(try await stage.ledger("SELECT count(*), min(state) FROM attempts") == "1|accepted")
            #expect(try await sandbox.statistics().createTask.arrivals == 1)
            #expect(!FileManager.default.fileExists(atPath: stage.database + "-outcomes"))
            try await stage.stop(second)
        }
    }

    @Test func `an accepted task that the database refuses to take outlives a clean stop, too`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            let first = try await stage.daemon(sandbox)
            // A rule that nobody foresaw.
            try await stage.ledger(
                """
                CREATE TRIGGER unforeseen BEFORE UPDATE OF state ON attempts WHEN NEW.state = 'accepted'
                BEGIN SELECT RAISE(ABORT, 'not this one'); END
                """
            )
            try await stage.ledger.insert("a paid picture")
            try await first.line(with: "left alone until the next start")
            try await stage.stop(first)
            try await stage.ledger("DROP TRIGGER unforeseen")

            let second = try await stage.daemon(sandbox)
            try await stage.ledger.wait(for: "succeeded", from: "SELECT state FROM jobs")
            #expect(try await sandbox.statistics().createTask.arrivals == 1)
            try await stage.stop(second)
        }
    }

    @Test func `SIGHUP reloads the key, and the queue goes on`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            let key = "\(stage.folder)/key"
            try stage.write("a-wrong-key\n", to: key)
            let daemon = try await stage.daemon(sandbox, ["PROMPTD_PROVIDER_API_KEY_FILE": key, "KIE_API_KEY": ""])
            let job = try await stage.ledger.insert("a fox behind a gate")
            try await stage.ledger.wait(for: "key", from: "SELECT blocked_by FROM queue_status")
            #expect(try await stage.ledger("SELECT state, attempt_count FROM jobs") == "queued|0")

            try stage.write("sandbox-key\n", to: key)
            daemon.send(SIGHUP)
            try await stage.ledger.wait(job: job, is: "succeeded")
            #expect(
                try await stage.ledger("SELECT coalesce(max(blocked_by), 'nothing') FROM queue_status") == "nothing"
            )
            for text in ["a-wrong-key", "sandbox-key"] { #expect(!daemon.errors.contains(text)) }
            try await stage.stop(daemon)
        }
    }

    @Test func `SIGHUP reloads the settings; a mistake in them changes nothing`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox)
            let limits =
                "SELECT rate_limit || ' in ' || rate_window_seconds || ', ' || running_limit FROM daemon_status"
            #expect(try await stage.ledger(limits) == "20 in 10.0, 100")

            try stage.write(
                "limits:\n  submissions: 5\n  window: 1m\n  running: 7\nmedia: /elsewhere\n",
                to: stage.configuration
            )
            daemon.send(SIGHUP)
            try await stage.ledger.wait(for: "5 in 60.0, 7", from: limits)

            try stage.write("limits:\n  running: many\n", to: stage.configuration)
            daemon.send(SIGHUP)
            try await daemon.line(
                with: "nothing was reloaded, everything stays as it was reason=\"limits.running: \\\"many\\\""
            )
            #expect(try await stage.ledger(limits) == "5 in 60.0, 7")
            try await stage.stop(daemon)
        }
    }
}
