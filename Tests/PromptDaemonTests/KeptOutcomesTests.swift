import Foundation
import JobStore
import Logging
import PromptQueue
import StateFiles
import Testing

@testable import PromptDaemon

/// Outcomes that were kept beside the ledger, on their way into it.
@Suite struct KeptOutcomesTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let lost = SubmissionOutcome.unknown(Failure(.answerLost, "no answer within 30s"))
    private static let accepted = LedgerChange.accepted(AttemptID(1), task: TaskID("paid"), httpStatus: 200)

    /// A job whose answer is missing from the ledger, and was kept in the file beside it.
    private func lose() async throws -> (EngineRun, JobID, OutcomeFile) {
        let run = try EngineRun()
        try await run.start()
        run.answers = [Self.lost]
        let job = try await run.add()
        let file = try OutcomeFile(database: run.path)
        try file.append(Self.accepted, at: run.now.instant)
        return (run, job, file)
    }

    private func keptAside(_ file: OutcomeFile) throws -> [String] {
        let folder = URL(filePath: file.path).deletingLastPathComponent().path
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains("-outcomes.kept-") }
    }

    @Test func `what was kept is recorded, once and again, and the file is gone`() async throws {
        let (run, job, file) = try await lose()
        for _ in 0..<2 {
            try await KeptOutcomes.takeUp(file, into: run.ledger, now: run.now.instant, Self.logger)
            #expect(try run.details(of: job)?.job.state == .running)
            #expect(try run.details(of: job)?.attempts.map(\.taskID) == [TaskID("paid")])
            #expect(!FileManager.default.fileExists(atPath: file.path))
            try file.append(Self.accepted, at: run.now.instant)
        }
        #expect(try keptAside(file).isEmpty)
    }

    @Test func `a task that the ledger does not take any more is not forgotten`() async throws {
        let (run, job, file) = try await lose()
        // Somebody was sure that there was no task.
        _ = try run.read { try $0.resolve(job, .resubmit, now: run.now.instant) }
        try await KeptOutcomes.takeUp(file, into: run.ledger, now: run.now.instant, Self.logger)
        #expect(try run.details(of: job)?.job.state == .queued)
        #expect(try keptAside(file).count == 1)
    }

    @Test func `a line that broke off spoils no other`() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/promptd-outcomes-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = try OutcomeFile(database: folder + "/q.sqlite")
        let at = Instant(milliseconds: 1_800_000_000_000)
        let failure = Failure(.rateLimited, "too many", httpStatus: 200, apiCode: 429)
        try file.append(Self.accepted, at: at)
        let handle = try #require(FileHandle(forWritingAtPath: file.path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(#"{"accepted":2,"ta"#.utf8))
        try handle.close()
        try file.append(.rejected(AttemptID(3), failure, then: .retry(at: at, counted: false)), at: at)
        let (entries, unreadable) = try file.read()
        #expect(unreadable == 1)
        #expect(entries.map { $0.0.outcome?.attempt } == [AttemptID(1), AttemptID(3)])
        guard case .rejected(_, failure, then: .retry(at: at, counted: false))? = entries.last?.0 else {
            Issue.record("read otherwise than written: \(entries)")
            return
        }
    }
}
