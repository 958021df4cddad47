import Hummingbird
import HummingbirdTesting
import PromptQueue
import PromptWeb
import Testing

@Suite struct WebServerTests {
    private struct Source: StatusSource {
        var writable = true
        var queues = ["a\"b"]
        var daemons: DaemonFigures?
        func isWritable() async -> Bool { writable }
        func figures() async throws(LedgerError) -> StatusFigures {
            guard writable else { throw LedgerError(.inputOutput, "gone") }
            var figures = StatusFigures()
            figures.jobs = queues.map { .init(queue: $0, state: "queued", jobs: 3) }
            figures.queues = queues.map { .init(name: $0, isPaused: true, due: 2) }
            figures.gates = ["credits"]
            figures.balanceReadAt = Instant(milliseconds: 1_800_000_000_500)
            figures.balance = Credits(millicredits: 5_916_250)
            figures.daemons = daemons
            return figures
        }
    }

    private func get(_ path: String, _ source: Source = Source(), running: Bool = true) async throws -> (Int, String) {
        let process: @Sendable () -> ProcessFigures = {
            ProcessFigures(closedGates: ["credits", "disk"], mediaAvailableBytes: 7)
        }
        let application = Application(
            router: WebServer.router(source: source, isRunning: { running }, process: process)
        )
        return try await application.test(.router) { client in
            try await client.execute(uri: path, method: .get) { ($0.status.code, String(buffer: $0.body)) }
        }
    }

    @Test func `health is the process, readiness is the database and the engine`() async throws {
        #expect(try await get("/healthz", Source(writable: false), running: false) == (200, "ok\n"))
        #expect(try await get("/readyz") == (200, "ready\n"))
        #expect(try await get("/readyz", running: false).0 == 503)
        #expect(try await get("/readyz", Source(writable: false)).0 == 503)
    }

    @Test func `metrics are in Prometheus' text format`() async throws {
        let (status, text) = try await get("/metrics")
        #expect(status == 200)
        #expect(text.contains("# TYPE promptd_jobs gauge\npromptd_jobs{queue=\"a\\\"b\",state=\"queued\"} 3\n"))
        #expect(text.contains("promptd_account_credits 5916.25\n"))
        #expect(text.contains("promptd_gate_closed{gate=\"credits\"} 1\n"))
        #expect(text.contains("promptd_queue_paused{queue=\"a\\\"b\"} 1\n"))
        #expect(text.contains("promptd_jobs_due{queue=\"a\\\"b\"} 2\n"))
        #expect(text.contains("promptd_account_read_timestamp_seconds 1800000000.5\n"))
        #expect(text.contains("promptd_media_filesystem_avail_bytes 7\n"))
        #expect(try await get("/metrics", Source(writable: false)).0 == 503)
    }

    @Test func `of daemons that share a queue it is said how many there are, and how many were lost`() async throws {
        let several = Source(daemons: DaemonFigures(members: 3, takenOver: 2))
        let text = try await get("/metrics", several).1
        #expect(text.contains("# TYPE promptd_daemons gauge\npromptd_daemons 3\n"))
        #expect(text.contains("# TYPE promptd_daemons_taken_over_total counter\npromptd_daemons_taken_over_total 2\n"))
        #expect(try await get("/metrics").1.contains("promptd_daemons") == false)
    }

    @Test func `a gate that only the process knows of shows as those of the database, once`() async throws {
        let lines = try await get("/metrics").1.split(separator: "\n").filter { $0.hasPrefix("promptd_gate_closed{") }
        #expect(lines == ["promptd_gate_closed{gate=\"credits\"} 1", "promptd_gate_closed{gate=\"disk\"} 1"])
    }

    @Test func `the start is a whole number of seconds`() async throws {
        let line = try await get("/metrics").1.split(separator: "\n")
            .first { $0.hasPrefix("promptd_start_time_seconds ") }
        #expect(line.flatMap { Int($0.split(separator: " ")[1]) } != nil)
    }

    @Test func `no name ends its label, and names that read alike are one series`() async throws {
        var source = Source()
        source.queues = [
            "a\r\npromptd_tasks_running 999\r\n#", "q\"\u{301}} 1", "\\\u{301}", "\u{1B}[31m\u{202E}",
            String(repeating: "x", count: 1_000) + "1", String(repeating: "x", count: 1_000) + "2",
        ]
        let (status, text) = try await get("/metrics", source)
        #expect(status == 200)
        let lines = text.unicodeScalars.split(separator: "\n").map(String.init)
        #expect(!lines.contains { $0.unicodeScalars.contains(where: PlainText.isHarmful) })
        let jobs = lines.filter { $0.hasPrefix("promptd_jobs{") }
        #expect(Set(jobs.map { $0.prefix { $0 != "}" } }).count == 5)
        #expect(
            jobs.contains(
                "promptd_jobs{queue=\"a\\\\u{d}\\\\u{a}promptd_tasks_running 999\\\\u{d}\\\\u{a}#\",state=\"queued\"} 3"
            )
        )
        #expect(
            jobs.contains {
                Array($0.unicodeScalars).starts(with: Array("promptd_jobs{queue=\"q\\\"\u{301}} 1\"".unicodeScalars))
            }
        )
        #expect(jobs.contains { $0.hasSuffix("…\",state=\"queued\"} 6") })
    }

    @Test func `nothing else is served`() async throws {
        #expect(try await get("/").0 == 404)
    }
}
