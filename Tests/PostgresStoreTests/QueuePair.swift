import Foundation
import JobStore
import Postgres
import PostgresServer
import PostgresStore
import PromptQueue
import Testing

/// A queue in a file and one on a server, to which the same is done.
final class QueuePair {
    let file: QueueFile
    let server: PostgresQueue
    let connection: BlockingConnection
    private let path: String
    private let conninfo: String
    let now = Instant(milliseconds: 1_795_000_000_000)

    init() async throws {
        path = FileManager.default.temporaryDirectory.path + "/pair-\(UUID().uuidString).sqlite"
        try QueueFile(path: path, create: true).close()
        file = try QueueFile(path: path)
        conninfo = try await PostgresServer.shared().database()
        _ = try PostgresQueue.install(conninfo)
        var settings = PostgresSettings.patient(conninfo, applicationName: "tests")
        settings.parameters["search_path"] = "promptd"
        connection = try BlockingConnection(settings)
        try connection.script(
            "CREATE OR REPLACE FUNCTION promptd.now_ms() RETURNS bigint LANGUAGE sql VOLATILE RETURN 1795000000000"
        )
        server = try PostgresQueue(command: conninfo)
    }

    deinit {
        do {
            try file.close()
            try server.close()
            try connection.close()
            for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
                try FileManager.default.removeItem(atPath: path + suffix)
            }
        } catch { print(error) }
    }

    /// Does the same to both, and holds what comes of it against each other.
    @discardableResult
    func same<Value>(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (any QueueClient) throws -> Value
    ) throws -> Value {
        let (left, right) = (Result { try body(file) }, Result { try body(server) })
        #expect(Self.text(left) == Self.text(right), sourceLocation: sourceLocation)
        return try left.get()
    }

    /// The same, of what is refused.
    func refused(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (any QueueClient) throws -> some Any
    ) -> String {
        let (left, right) = (Result { try body(file) }, Result { try body(server) })
        #expect(Self.text(left) == Self.text(right), sourceLocation: sourceLocation)
        if case .success(let value) = left { Issue.record("was not refused: \(value)", sourceLocation: sourceLocation) }
        return Self.text(left)
    }

    private static func text<Value>(_ result: Result<Value, any Error>) -> String {
        switch result {
        case .success(let value): "\(value)"
        case .failure(let error as LedgerError): text(error)
        case .failure(let error as InsertionFailure): "\(error.place): \(text(error.error))"
        case .failure(let error): "\(error)"
        }
    }

    /// SQLite says of some rules what they are made of.
    private static func text(_ error: LedgerError) -> String {
        "\(error.code): " + error.message.replacing("CHECK constraint failed: ", with: "")
    }

    enum Ending { case running, succeeded, failed, unconfirmed }

    /// Sends the next jobs as daemons would, and lets each end in its way.
    func submit(_ endings: Ending...) async throws {
        try await submit(endings, SQLiteLedger(path: path))
        try await submit(endings, PostgresLedger.patient(conninfo))
    }

    private func submit(_ endings: [Ending], _ ledger: any CoreLedger) async throws {
        let request = ClaimRequest(
            limit: endings.count,
            rate: RateLimit(count: 1_000, window: .seconds(10)),
            runningLimit: 1_000,
            now: now
        )
        let claim = try await ledger.claim(request) { $0.prepared(by: .builtIn, unknownModels: .allow) }
        #expect(claim.jobs.count == endings.count)
        for (job, ending) in zip(claim.jobs, endings) {
            if ending == .unconfirmed {
                let failure = Failure(.answerLost, "no answer within 30s")
                _ = try await ledger.record(.unknown(job.attempt, failure), now: now)
                continue
            }
            _ = try await ledger.record(
                .accepted(job.attempt, task: TaskID("task-\(job.job)"), httpStatus: 200),
                now: now
            )
            switch ending {
            case .running, .unconfirmed: break
            case .succeeded:
                let output = TaskOutput.file(url: "https://media.example/\(job.job).png")
                let charged = Credits(millicredits: 14_000)
                _ = try await ledger.record(
                    .taskSucceeded(job.attempt, [output], charged: charged, fetch: true),
                    now: now
                )
                let saved = SavedFile(
                    path: "default/\(job.job)-0.png",
                    contentType: "image/png",
                    bytes: 1_234,
                    sha256: String(repeating: "a", count: 64)
                )
                _ = try await ledger.record(.resultSaved(ResultID(job: job.job, ordinal: 0), saved), now: now)
            case .failed:
                let failure = Failure(.contentRefused, "the content was refused")
                _ = try await ledger.record(.taskFailed(job.attempt, failure, charged: .zero, then: .fail), now: now)
            }
        }
        try await ledger.close()
    }

    /// What somebody writes in a shell, to both.
    func sql(_ statement: String) throws {
        try Shell.run(statement, at: path)
        try connection.script(SQL(pasted: statement))
    }
}
