import Foundation
import Testing

extension SystemTests {
    /// An evil provider, an evil media server, evil rows and idle connections, while honest jobs run to their end.
    @Suite(.timeLimit(.minutes(10)))
    struct EverythingAtOnceTests {
        private static let honest = 200

        @Test func `nothing that comes from outside stops the daemon, starves it, or speaks through it`() async throws {
            try await Stage.with { stage in
                let provider = try EvilProvider()
                defer { provider.stop() }
                let (web, callbacks) = (try CallbackAddress(), try CallbackAddress())
                let settings = callbacks.settings().merging([
                    "PROMPTD_PROVIDER_BASE_URL": provider.url, "PROMPTD_WEB_LISTEN": "127.0.0.1:\(web.port)",
                    "PROMPTD_DOWNLOADS_ALLOW_PRIVATE_ADDRESSES": "true", "PROMPTD_LIMITS_POLLS_PER_SECOND": "100",
                    "PROMPTD_LIMITS_SUBMISSIONS": "100",
                ]) { $1 }
                let daemon = try await stage.daemon(nil, settings)
                let strangers = try await stage.idlers(300, on: web.port, callbacks.port)
                var refusedRows = 0
                for row in Self.rows {
                    do { try await stage.ledger("INSERT INTO jobs \(row)") } catch { refusedRows += 1 }
                }
                let evil = (0..<EvilProvider.kinds).map { "('evil \($0)', 'evil')" }.joined(separator: ", ")
                let good = (0..<Self.honest).map { "('a fox, number \($0)', 'honest')" }.joined(separator: ", ")
                try await stage.ledger("INSERT INTO jobs (prompt, queue) VALUES \(evil), \(good)")

                let done = "SELECT count(*) FROM jobs WHERE queue = 'honest' AND state = 'succeeded'"
                let last = "SELECT queue, state, count(*), min(error_message) FROM jobs GROUP BY 1, 2"
                _ = try await eventually("200 honest jobs", within: .seconds(420), every: .milliseconds(500)) {
                    (try? await stage.ledger(last)) ?? "?"
                } _: {
                    try #require(daemon.isRunning, "\(daemon.tail)")
                    return try await stage.ledger.number(done) == Self.honest ? true : nil
                }
                #expect(try await web.status("GET", "/healthz") == 200)
                #expect(try await web.status("GET", "/readyz") == 200)
                // What was billed is booked, job by job, and each was paid for once.
                #expect(provider.billed == Self.honest * EvilProvider.price)
                let booked = """
                    SELECT sum(a.charged_millicredits) || '|' || count(*) FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id
                    WHERE j.queue = 'honest'
                    """
                #expect(try await stage.ledger(booked) == "\(provider.billed * 1_000)|\(Self.honest)")
                #expect(try await stage.ledger("SELECT count(*) FROM suspects") == "0")
                let resident = try String(contentsOfFile: "/proc/\(daemon.pid)/status", encoding: .utf8)
                    .firstMatch(of: /VmHWM:\s+(\d+) kB/).flatMap { Int($0.1) }
                SystemTests.report(
                    "200 honest jobs beside \(EvilProvider.kinds) evil ones, \(refusedRows) of \(Self.rows.count) evil rows refused "
                        + "by the schema, at most \((resident ?? 0) / 1_024) MiB; evil ones: "
                        + (try await stage.ledger("SELECT state, count(*) FROM jobs WHERE queue = 'evil' GROUP BY 1"))
                        .replacingOccurrences(of: "\n", with: ", ")
                )
                #expect((resident ?? .max) < 600 * 1_024)
                // Nothing of theirs has reached the log as it was.
                #expect(!daemon.errors.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
                strangers.send(SIGKILL)
                try await stage.stop(daemon)
            }
        }

        private static let rows = [
            "(prompt, queue) VALUES ('x', 'a' || char(0) || 'b')", "(prompt, model) VALUES ('x', 'no-such-model')",
            "(prompt, input) VALUES ('x', '{\"a\":' || printf('%.*c', 900, '[') || printf('%.*c', 900, ']') || '}')",
            "(prompt, priority, queue) VALUES ('x', 9223372036854775807, 'evil')",
            "(prompt, run_at, queue) VALUES ('x', 253402300799999, 'evil')",
            "(id, prompt) VALUES (9223372036854775807, 'x')",
            "(prompt, queue) VALUES (CAST(x'636166e9' AS TEXT), 'evil')",
            "(prompt, queue) VALUES ('a' || char(27) || '[2J' || char(8238), 'e' || char(13) || char(10) || 'vil\"')",
            "(prompt, input, queue) VALUES ('a red fox', '{\"seed\":1e999}', 'evil')",
            "(prompt, labels) VALUES ('x', '{\"a\":\"' || printf('%.*c', 70000, 'x') || '\"}')",
            "(prompt, max_attempts, estimated_millicredits, queue) VALUES ('x', 20, 999999999999, 'evil')",
        ]
    }
}
