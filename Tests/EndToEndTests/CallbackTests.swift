import Foundation
import Testing

@Suite(.timeLimit(.minutes(2)))
struct CallbackTests {
    private static let key = "a key for callbacks"

    @Test(arguments: ["callback-twice", "callback-old-form"])
    func `a result comes by its callback while the next poll is twenty minutes away`(fault: String) async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "6s", "--jitter", "0s", "--hmac-key", Self.key)
            try await sandbox.next(fault)
            let settings = try CallbackAddress().settings(key: Self.key)
            let first = try await stage.daemon(sandbox, settings)
            let job = try await stage.ledger.insert("a fox who calls back")
            try await stage.ledger.wait(for: "accepted", from: "SELECT state FROM attempts")
            try await stage.stop(first)
            // A task that looks ten hours old is asked about once at the start and then after a thirtieth of its age.
            // What the ledger does not let anybody do.
            try await stage.ledger(
                "DROP TRIGGER attempts_rules; UPDATE attempts SET answered_at = answered_at - 36000000"
            )
            let second = try await stage.daemon(sandbox, settings)
            try await stage.ledger.wait(job: job, is: "succeeded")
            try await stage.stop(second)
            #expect(try await sandbox.statistics().tasks.made == 1)
            #expect(try await sandbox.statistics().recordInfo.arrivals <= 3)
        }
    }

    @Test func `a lost answer is settled by the callback: one task, paid for once`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "2s", "--jitter", "0s", "--hmac-key", Self.key)
            try await sandbox.next("lost")
            let daemon = try await stage.daemon(sandbox, try CallbackAddress().settings(key: Self.key))
            let job = try await stage.ledger.insert("a fox whose answer is lost")
            try await stage.ledger.wait(job: job, is: "succeeded")
            try await daemon.line(with: "warning unconfirmed: ")
            try await daemon.line(with: "notice no longer unconfirmed: ")
            let task = try #require(try await sandbox.tasks().first)
            #expect(try await sandbox.statistics().tasks.made == 1)
            #expect(
                try await stage.ledger(
                    "SELECT state, task_id, error_code, reserved_millicredits, finished_at IS NOT NULL FROM attempts"
                ) == "accepted|\(task.taskId)||0|1"
            )
            #expect(
                try await stage.ledger("SELECT task_id, error_code, attempt_count FROM jobs") == "\(task.taskId)||1"
            )
            let (charged, reserved) = try await stage.money()
            #expect(Double(charged) == (try await sandbox.statistics()).credits.consumed * 1_000)
            #expect(reserved == 0)
            try await stage.expectMediaMatchesResults()
            try await stage.stop(daemon)
        }
    }

    @Test func `a callback settles what the daemon before this one lost`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "5s", "--jitter", "0s")
            try await sandbox.next("lost")
            let settings = try CallbackAddress().settings()
            let first = try await stage.daemon(sandbox, settings)
            let job = try await stage.ledger.insert("a fox whose answer is lost")
            try await first.line(with: "warning unconfirmed: ")
            try await stage.stop(first)
            let second = try await stage.daemon(sandbox, settings)
            try await second.line(with: "callbacks are not signed")
            try await stage.ledger.wait(job: job, is: "succeeded")
            #expect(try await sandbox.statistics().tasks.made == 1)
            try await stage.stop(second)
        }
    }

    @Test func `a callback that comes during an outage is remembered over a kill`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "1s", "--jitter", "0s")
            // Questions fail for as long as the first daemon lives, and once more afterwards.
            try await sandbox.next("lost", "poll-gateway", "poll-lost", "poll-gateway", "poll-gateway")
            let settings = try CallbackAddress().settings()
            let first = try await stage.daemon(sandbox, settings)
            let job = try await stage.ledger.insert("a fox in an outage")
            _ = try await eventually("the task is asked about") {
                try await sandbox.statistics().recordInfo.arrivals > 0 ? true : nil
            }
            // It was told 200, so the provider does not call again.
            #expect(try await sandbox.statistics().callbacks.delivered == 1)
            first.send(SIGKILL)
            _ = try await first.end()
            #expect(try await stage.ledger("SELECT state FROM jobs") == "unconfirmed")

            let second = try await stage.daemon(sandbox, settings)
            try await stage.ledger.wait(job: job, is: "succeeded")
            let statistics = try await sandbox.statistics()
            #expect(statistics.tasks.made == 1)
            #expect(statistics.createTask.arrivals == 1)
            #expect(statistics.callbacks.attempts == 1)
            let (charged, reserved) = try await stage.money()
            #expect(Double(charged) == statistics.credits.consumed * 1_000)
            #expect(reserved == 0)
            try await stage.expectMediaMatchesResults()
            try await stage.stop(second)
        }
    }

    @Test func `a callback that overtakes the answer to createTask harms nothing`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "300ms", "--jitter", "0s", "--slow", "2s")
            try await sandbox.next("slow")
            let daemon = try await stage.daemon(sandbox, try CallbackAddress().settings())
            let job = try await stage.ledger.insert("a fast fox")
            try await stage.ledger.wait(job: job, is: "succeeded")
            #expect(try await stage.ledger("SELECT count(*), state FROM attempts") == "1|accepted")
            #expect(try await sandbox.statistics().tasks.made == 1)
            try await stage.stop(daemon)
        }
    }

    @Test(arguments: [("callback-forged", "bad_signature"), ("callback-stale", "stale")])
    func `a callback that is not signed rightly, and now, has no effect`(fault: String, outcome: String) async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "300ms", "--jitter", "0s", "--hmac-key", Self.key)
            try await sandbox.next("lost", fault)
            let web = try CallbackAddress()
            let daemon = try await stage.daemon(
                sandbox,
                try CallbackAddress().settings(key: Self.key)
                    .merging(["PROMPTD_WEB_LISTEN": "127.0.0.1:\(web.port)"]) { $1 }
            )
            let job = try await stage.ledger.insert("a fox whose answer is lost")
            // The sandbox tries again after a second; the log says it once.
            let counted = "promptd_callbacks_total{outcome=\"\(outcome)\"} 2\n"
            _ = try await eventually("the callback is refused twice") {
                try await stage.page("\(web.url)/metrics").contains(counted) ? true : nil
            }
            #expect(try await stage.ledger("SELECT state FROM jobs WHERE id = \(job)") == "unconfirmed")
            #expect(try await sandbox.statistics().recordInfo.arrivals == 0)
            #expect(daemon.errors.components(separatedBy: "outcome=\(outcome)").count == 2)
            try await expectNoToken(in: daemon, stage)
            try await stage.stop(daemon)
        }
    }

    @Test func `what is no callback is turned away, counted, and has no effect`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "2m")
            try await sandbox.next("lost", "callback-lost")
            let address = try CallbackAddress()
            let web = try CallbackAddress()
            let daemon = try await stage.daemon(
                sandbox,
                address.settings().merging(["PROMPTD_WEB_LISTEN": "127.0.0.1:\(web.port)"]) { $1 }
            )
            let job = try await stage.ledger.insert("a fox whose answer is lost")
            try await stage.ledger.wait(job: job, is: "unconfirmed")
            let token = try await stage.ledger("SELECT token FROM attempts")
            let path = "/callbacks/kie/\(token)"
            let body = #"{"data":{"taskId":"abc"}}"#

            // Half a body, and then nothing: answered after ten seconds, while the others go on.
            let slow = try stage.start(
                "/usr/bin/env",
                [
                    "bash", "-c",
                    """
                    exec 3<>/dev/tcp/127.0.0.1/\(address.port)
                    printf 'POST \(path) HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 25\\r\\n\\r\\n{"data"' >&3
                    head -n 1 <&3
                    """,
                ]
            )
            let unknown = "/callbacks/kie/" + String(repeating: "0", count: 32)
            #expect(try await address.status("POST", unknown, body: body) == 404)
            #expect(try await address.status("POST", "/callbacks/kie/\(token.uppercased())x", body: body) == 404)
            #expect(try await address.status("POST", "/callbacks/kie/", body: body) == 404)
            #expect(try await address.status("GET", "/healthz") == 404)
            #expect(try await address.status("GET", path) == 405)
            #expect(try await address.status("POST", path, body: "not json") == 400)
            let large = "{\"data\":\"" + String(repeating: "x", count: 256 * 1_024) + "\"}"
            #expect(try await address.status("POST", path, body: large) == 413)
            #expect(try await slow.end() == .exit(0))
            #expect(slow.output.hasPrefix("HTTP/1.1 408 "))

            let metrics = try await stage.page("\(web.url)/metrics")
            for (outcome, count) in [
                ("unknown_token", 1), ("not_found", 3), ("wrong_method", 1), ("malformed", 1), ("too_large", 1),
                ("slow", 1), ("accepted", 0),
            ] {
                #expect(metrics.contains("promptd_callbacks_total{outcome=\"\(outcome)\"} \(count)\n"), "\(metrics)")
            }
            #expect(try await stage.ledger("SELECT state FROM jobs WHERE id = \(job)") == "unconfirmed")
            #expect(try await sandbox.statistics().recordInfo.arrivals == 0)
            try await expectNoToken(in: daemon, stage)
            try await stage.stop(daemon)
        }
    }

    @Test func `a callback that names another job's task, or none, settles nothing`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "300ms", "--jitter", "0s")
            let address = try CallbackAddress()
            let daemon = try await stage.daemon(sandbox, address.settings())
            let done = try await stage.ledger.insert("a fox who is done")
            try await stage.ledger.wait(job: done, is: "succeeded")
            try await sandbox.next("lost", "callback-lost")
            let job = try await stage.ledger.insert("a fox whose answer is lost")
            try await stage.ledger.wait(job: job, is: "unconfirmed")
            let token = try await stage.ledger("SELECT token FROM attempts WHERE state = 'unknown'")
            let other = try await stage.ledger("SELECT task_id FROM jobs WHERE id = \(done)")
            let status = try await address.status(
                "POST",
                "/callbacks/kie/\(token)",
                body: #"{"code":200,"data":{"taskId":"\#(other)","state":"success"}}"#
            )
            #expect(status == 200)
            try await daemon.line(with: "a callback named a task that is not taken for the job's")
            #expect(try await stage.ledger("SELECT state FROM jobs WHERE id = \(job)") == "unconfirmed")
            #expect(try await stage.ledger("SELECT count(*) FROM attempts WHERE task_id = '\(other)'") == "1")
            #expect(try await address.status("POST", "/callbacks/kie/\(token)", body: "{}") == 200)
            #expect(try await stage.ledger("SELECT state FROM jobs WHERE id = \(job)") == "unconfirmed")
            try await stage.stop(daemon)
        }
    }

    @Test func `SIGHUP reloads the key, and an address that cannot be used ends the start`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "2m", "--hmac-key", "new")
            let address = try CallbackAddress()
            let file = "\(stage.folder)/webhook-key"
            try stage.write("old\n", to: file)
            let settings = address.settings().merging(["PROMPTD_CALLBACKS_HMAC_KEY_FILE": file]) { $1 }
            let daemon = try await stage.daemon(sandbox, settings)
            let job = try await stage.ledger.insert("a fox")
            try await stage.ledger.wait(job: job, is: "running")
            let path = "/callbacks/kie/" + (try await stage.ledger("SELECT token FROM attempts"))
            let body = #"{"data":{"taskId":"abc"}}"#
            let now = "\(Int(Date.now.timeIntervalSince1970))"
            let code = try await stage.run(
                "/usr/bin/env",
                ["bash", "-c", "printf %s abc.\(now) | openssl dgst -sha256 -hmac new -binary | base64"]
            )
            let signature = code.output.trimmingCharacters(in: .newlines)
            try #require(signature.count == 44, "openssl is needed: \(code.errors)")
            let headers = ["X-Webhook-Timestamp": now, "X-Webhook-Signature": signature]
            #expect(try await address.status("POST", path, headers, body: body) == 401)
            try stage.write("new\n", to: file)
            daemon.send(SIGHUP)
            try await daemon.line(with: "reloaded")
            #expect(try await address.status("POST", path, headers, body: body) == 200)

            // The address is taken by the daemon at work.
            let second = try await stage.run(
                "promptd",
                ["--config", stage.configuration],
                environment: stage.environment(
                    sandbox,
                    settings.merging([
                        "PROMPTD_MEDIA": "\(stage.folder)/other-media",
                        "PROMPTD_DATABASE": "\(stage.folder)/second.sqlite",
                    ]) { $1 }
                )
            )
            #expect(second.end == .exit(69))
            #expect(second.errors.contains("callbacks.listen: cannot listen on 127.0.0.1:\(address.port)"))
            try await stage.stop(daemon)
        }
    }

    private func expectNoToken(in daemon: RunningProgram, _ stage: Stage) async throws {
        for token in try await stage.ledger.lines("SELECT token FROM attempts") {
            #expect(!(daemon.output + daemon.errors).contains(token))
        }
    }
}
