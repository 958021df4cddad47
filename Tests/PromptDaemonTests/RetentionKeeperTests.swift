import Concurrency
import FoundationEssentials
import JobStore
import Logging
import MediaStore
import PromptConfiguration
import PromptQueue
import Synchronization
import Testing

@testable import PromptDaemon

/// What becomes of jobs whose time is over, and of their files.
@Suite struct RetentionKeeperTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let media = FileManager.default.temporaryDirectory.path

    /// Sleeping takes no time; the instant is fixed.
    private struct QuickTime: TimeSource {
        let now: Moment
        func sleep(until uptime: Duration) async throws {}
    }

    /// A job that has succeeded, with its file and its sidecar; `body` gets its id and the media directory.
    ///
    /// - Parameter provider: how far the provider's clock is behind; nil: it does not answer.
    private func keep(
        _ jobs: Retention,
        _ files: FileRetention,
        after age: Duration,
        provider: Duration? = .zero,
        _ body: (EngineRun, MediaDirectory) throws -> Void
    ) async throws {
        let run = try EngineRun()
        try await run.start()
        let job = try await run.add()
        let attempt = try #require(try run.details(of: job)?.attempts.first?.id)
        _ = try await run.ledger.record(
            .taskSucceeded(attempt, [.file(url: "u")], charged: Credits(millicredits: 14_000), fetch: true),
            now: run.now.instant
        )
        let path = "default/\(job)-0.png"
        let saved = SavedFile(path: path, contentType: "image/png", bytes: 1, sha256: String(repeating: "a", count: 64))
        _ = try await run.ledger.record(.resultSaved(ResultID(job: job, ordinal: 0), saved), now: run.now.instant)
        let folder = "\(Self.media)/promptd-retention-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let media = try MediaDirectory(path: folder)
        try FileManager.default.createDirectory(atPath: folder + "/default", withIntermediateDirectories: true)
        for name in [path, "default/\(job).json"] {
            #expect(FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: Data([1])))
        }
        let time = QuickTime(now: Moment(instant: run.now.instant + age, uptime: .zero))
        let keeper = RetentionKeeper(
            ledger: run.ledger,
            media: media,
            rule: { (jobs, files) },
            clock: ClockCheck(time: time, logger: Self.logger) { provider.map { time.now.instant - $0 } },
            time: time,
            logger: Self.logger
        )
        try await keeper.keep()
        try body(run, media)
    }

    private func files(_ media: MediaDirectory) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: media.path + "/default").count
    }

    @Test func `before its time nothing goes, and never where all is kept for ever`() async throws {
        for (rule, age) in [(Retention.after(.seconds(3_600)), Duration.seconds(3_599)), (.forever, .seconds(1 << 40))]
        {
            try await keep(rule, .remove, after: age) { run, media in
                let job = try run.details(of: JobID(1))
                #expect(job != nil)
                #expect(try files(media) == 2)
            }
        }
    }

    @Test func `after its time the job goes and its files stay`() async throws {
        try await keep(.after(.seconds(3_600)), .keep, after: .seconds(3_601)) { run, media in
            let job = try run.details(of: JobID(1))
            #expect(job == nil)
            #expect(try files(media) == 2)
        }
    }

    @Test(arguments: [Duration.seconds(2 * 86_400), .seconds(200 * 86_400), nil])
    func `nothing goes by a clock that the provider's contradicts, or that nobody confirms`(
        provider: Duration?
    ) async throws {
        try await keep(.after(.seconds(3_600)), .remove, after: .seconds(1 << 25), provider: provider) { run, media in
            let job = try run.details(of: JobID(1))
            #expect(job != nil)
            #expect(try files(media) == 2)
        }
    }

    @Test func `a clock that is less than a day ahead, or behind, is believed`() async throws {
        for provider in [Duration.seconds(86_000), .seconds(-200 * 86_400)] {
            try await keep(.after(.seconds(3_600)), .keep, after: .seconds(3_601), provider: provider) { run, _ in
                let job = try run.details(of: JobID(1))
                #expect(job == nil)
            }
        }
    }

    @Test func `the provider is asked for its time once, and again when the clock was set`() async throws {
        let start = Instant(milliseconds: 1_800_000_000_000)
        let now = Mutex(Moment(instant: start, uptime: .seconds(100)))
        let asked = Mutex(0)
        let check = ClockCheck(time: MovedTime(moment: { now.withLock { $0 } }), logger: Self.logger) {
            asked.withLock { $0 += 1 }
            return start + (now.withLock { $0.uptime } - .seconds(100))
        }
        #expect(await check.believedInstant() == start)
        now.withLock { $0 = $0 + .seconds(30 * 86_400) }
        #expect(await check.believedInstant() == start + .seconds(30 * 86_400))
        #expect(asked.withLock { $0 } == 1)
        now.withLock { $0.instant = $0.instant + .seconds(100 * 86_400) }
        #expect(await check.believedInstant() == nil)
        #expect(await check.believedInstant() == nil)
        #expect(asked.withLock { $0 } == 3)
        now.withLock { $0.instant = $0.instant - .seconds(100 * 86_400) }
        #expect(await check.believedInstant() == start + .seconds(30 * 86_400))
        #expect(asked.withLock { $0 } == 3)
    }

    private struct MovedTime: TimeSource {
        let moment: @Sendable () -> Moment
        var now: Moment { moment() }
        func sleep(until uptime: Duration) async throws {}
    }

    @Test func `its files go with it where that is wanted, the sidecar too`() async throws {
        try await keep(.after(.seconds(3_600)), .remove, after: .seconds(3_601)) { run, media in
            let job = try run.details(of: JobID(1))
            #expect(job == nil)
            #expect(try files(media) == 0)
            let left = try run.read { try $0.removals(after: "", limit: 1) }
            #expect(left.isEmpty)
        }
    }
}
