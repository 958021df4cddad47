import Concurrency
import FoundationEssentials
import JobStore
import Logging
import MediaStore
import PromptConfiguration
import PromptQueue
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
    private func keep(
        _ jobs: Retention,
        _ files: FileRetention,
        after age: Duration,
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
        let keeper = RetentionKeeper(
            ledger: run.ledger,
            media: media,
            rule: { (jobs, files) },
            time: QuickTime(now: Moment(instant: run.now.instant + age, uptime: .zero)),
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
