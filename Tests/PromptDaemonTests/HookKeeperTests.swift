import Concurrency
import FoundationEssentials
import Glibc
import JobStore
import Logging
import PromptConfiguration
import PromptQueue
import PromptWeb
import RecordedLog
import Synchronization
import Testing

@testable import PromptDaemon

/// What hooks are told, and what becomes of a hook that fails.
@Suite struct HookKeeperTests {
    /// Remembers what was told; fails as often as it is asked to.
    private final class Receiver: HookDeliverer {
        let told = Mutex<[String]>([])
        let failures: Mutex<Int>

        init(failures: Int = 0) { self.failures = Mutex(failures) }

        func deliver(
            _ delivery: HookDelivery,
            id: String,
            _ subject: JSONObject,
            to hook: Hook,
            now: Instant
        ) async throws -> HookCommand.End {
            let fails = failures.withLock { left in
                left -= 1
                return left >= 0
            }
            guard !fails else { return HookCommand.End(outcome: .failed("it does not answer"), output: "") }
            told.withLock { $0.append("\(delivery.event.rawValue) \(subject["id"]?.json ?? "") \(id)") }
            return HookCommand.End(outcome: .delivered, output: "")
        }
    }

    private struct FixedTime: TimeSource {
        let now: Moment
        func sleep(until uptime: Duration) async throws {}
    }

    private func keeper(_ run: EngineRun, _ receiver: Receiver, after: Duration = .zero) -> HookKeeper {
        HookKeeper(
            ledger: run.ledger,
            hooks: { [Hook(rule: HookRule(name: "a", events: [.succeeded]), action: .command(["/bin/true"]))] },
            deliverer: receiver,
            metrics: DaemonMetrics(PrometheusRegistry(DaemonMetrics.families)),
            time: FixedTime(now: Moment(instant: run.now.instant + after, uptime: run.now.uptime + after)),
            seed: 7,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    private func succeed(_ run: EngineRun) async throws {
        let job = try await run.add()
        let attempt = try #require(try run.details(of: job)?.attempts.first?.id)
        let charged = Credits(millicredits: 14_000)
        let change = LedgerChange.taskSucceeded(attempt, [.file(url: "u")], charged: charged, fetch: false)
        _ = try await run.ledger.record(change, now: run.now.instant)
    }

    @Test func `a hook is told once, under a name of its own`() async throws {
        let run = try EngineRun()
        try await run.start()
        let receiver = Receiver()
        try await keeper(run, receiver).tellAll()
        try await succeed(run)
        try await keeper(run, receiver).tellAll()
        try await keeper(run, receiver).tellAll()
        #expect(receiver.told.withLock(\.self) == ["succeeded 1 msg_\(run.ledger.databaseID)_1"])
    }

    @Test func `what fails is tried again later, and given up after days`() async throws {
        let run = try EngineRun()
        try await run.start()
        let receiver = Receiver(failures: 1_000)
        try await keeper(run, receiver).tellAll()
        try await succeed(run)
        var passed: Duration = .zero
        for attempt in 1...HookSchedule.attempts {
            try await keeper(run, receiver, after: passed).tellAll()
            let delivery = try #require(try run.read { try $0.hookDeliveries([.pending, .dead], limit: 1) }.first)
            #expect(delivery.attempts == attempt)
            #expect(delivery.state == (attempt == HookSchedule.attempts ? .dead : .pending))
            #expect(delivery.lastError == "it does not answer")
            if delivery.state == .pending {
                let wait = delivery.nextTry - (run.now.instant + passed)
                #expect(wait >= .seconds(1) && wait <= .seconds(6 * 3_600))
                passed = delivery.nextTry - run.now.instant
            }
        }
        #expect(passed > .seconds(3_600) && passed < .seconds(4 * 86_400))
        _ = try run.read { try $0.retryHooks(nil, now: run.now.instant + passed) }
        receiver.failures.withLock { $0 = 0 }
        try await keeper(run, receiver, after: passed).tellAll()
        #expect(receiver.told.withLock { $0.count } == 1)
    }
}

/// Hooks that are programs.
@Suite struct HookCommandTests {
    /// As the daemon does: a program need not read what it is given.
    init() { signal(SIGPIPE, SIG_IGN) }

    private func run(
        _ script: String,
        timeout: Duration = .seconds(20),
        input: String = "{}"
    ) async throws -> HookCommand.End {
        let command = HookCommand(
            words: ["/bin/sh", "-c", script],
            environment: ["PATH": "/usr/bin:/bin", "PROMPTD_EVENT": "succeeded"],
            timeout: timeout
        )
        return try await command.run(Array(input.utf8))
    }

    @Test func `a program reads the job, and its environment holds nothing else`() async throws {
        let end = try await run("cat; env | sort | grep -v '^_=\\|^PWD=\\|^SHLVL='", input: "{\"id\":1}\n")
        #expect(end.outcome == .delivered)
        #expect(end.output == "{\"id\":1}\nPATH=/usr/bin:/bin\nPROMPTD_EVENT=succeeded\n")
    }

    @Test func `a program need not read, and may write more than anybody keeps`() async throws {
        let large = String(repeating: "x", count: 1 << 20)
        #expect(try await run("exit 0", input: large).outcome == .delivered)
        let end = try await run("head -c 3000000 /dev/zero | tr '\\0' y")
        #expect(end.outcome == .delivered)
        #expect(end.output.utf8.count == HookCommand.keptBytes)
    }

    @Test func `what a program ends with is said`() async throws {
        #expect(try await run("echo oh >&2; exit 3").outcome == .failed("the program ended with exit status 3"))
        #expect(try await run("kill -9 $$").outcome == .failed("the program was ended by signal 9"))
        let missing = HookCommand(words: ["/no/such/program"], environment: [:], timeout: .seconds(5))
        guard case .failed(let reason) = try await missing.run([]).outcome else {
            Issue.record("a program that is not there was run")
            return
        }
        #expect(reason.hasPrefix("the program cannot be run"))
    }

    @Test func `a program that hangs is ended with all that it has started`() async throws {
        let mark = FileManager.default.temporaryDirectory.path + "/promptd-hook-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: mark) }
        let end = try await run("sleep 300 & echo $! >\(mark); wait", timeout: .milliseconds(500))
        #expect(end.outcome == .failed("the program took longer than 500ms and was ended"))
        let text = try String(contentsOf: URL(filePath: mark), encoding: .utf8)
        let child = try #require(Int32(text.prefix(while: \.isNumber)))
        // A signal takes its time: it is gone soon, or waits to be reaped.
        func isThere() -> Bool {
            let state = try? String(contentsOf: URL(filePath: "/proc/\(child)/stat"), encoding: .utf8)
            return state.map { !$0.contains(") Z ") } ?? false
        }
        for _ in 0..<200 where isThere() { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!isThere())
    }
}
