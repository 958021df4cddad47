import EmptyLedger
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import JobStore
import Logging
import NIOCore
import PromptQueue
import RecordedLog
import Synchronization

@testable import PromptWeb

/// A ledger with jobs in it, their files, and the pages of both.
final class DashboardFixture: Sendable {
    let directory: String
    let media: String
    let ledger: SQLiteLedger
    let file: QueueFile
    let dashboard: Dashboard
    let now = Instant(milliseconds: 1_800_000_000_000)
    let access: WebAccess
    let log = RecordedLog()
    private let source: PageSource
    private let passed: PassedTime
    private let door: Door

    static let token = "the-token-of-the-tests"

    /// - Parameters:
    ///   - token: what people log in with; nil: nobody can.
    ///   - known: the task that the provider knows.
    init(
        isLocal: Bool = true,
        token: String? = nil,
        readsNeedToken: Bool = false,
        known: String = "found",
        thumbnailer: (any ThumbnailMaker)? = nil
    ) throws {
        directory = FileManager.default.temporaryDirectory.path() + "dashboard-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        media = directory + "/media"
        let path = directory + "/ledger.sqlite"
        try EmptyLedger.write(to: path)
        try FileManager.default.createDirectory(atPath: media, withIntermediateDirectories: true)
        ledger = try SQLiteLedger(path: path)
        file = try QueueFile(path: path)
        source = PageSource([try QueueFile(readingAt: path)])
        let passed = PassedTime()
        self.passed = passed
        let door = Door()
        self.door = door
        let now: @Sendable () -> Instant = { Instant(milliseconds: 1_800_000_000_000) + passed.time }
        access = WebAccess(now: now)
        access.replace(token: token, readsNeedToken: readsNeedToken)
        dashboard = try Dashboard(
            source: source,
            media: media,
            processID: 4711,
            isLocal: isLocal,
            thumbnailer: thumbnailer,
            logger: log.logger,
            changes: WebChanges(
                access: access,
                askTask: { task, _ in task == TaskID(known) ? .pending(providerState: "generating") : .notFound },
                open: {
                    try door.pass()
                    return try QueueFile(path: path)
                }
            ),
            now: now
        )
    }

    /// Lets time pass.
    func pass(_ time: Duration) { passed.pass(time) }

    /// Whether the queue can be opened for one more change, or for all.
    func letOpen(once: Bool) { door.set(once ? 1 : nil) }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    @discardableResult
    func add(
        _ prompt: String,
        queue: String = "default",
        batch: String? = nil,
        labels: JSONObject? = nil,
        model: String = "flux-2/flex-text-to-image"
    ) throws -> JobID {
        var job = NewJob(prompt: prompt, model: model, input: "{}", queue: queue)
        job.batch = batch
        job.labels = labels.map { JSONValue.object($0).json }
        return try file.add([job], now: now)[0]
    }

    /// Takes the next job to its end, with a file that holds `bytes`.
    @discardableResult
    func succeed(_ bytes: [UInt8], type: String = "image/png", name: String = "a.png") async throws -> JobID {
        let claim = try await ledger.claim(
            ClaimRequest(
                limit: 1,
                rate: RateLimit(count: 1_000, window: .seconds(10)),
                runningLimit: 1_000,
                now: now
            )
        ) { _ in .ready(PreparedInput(input: [:], estimate: nil)) }
        let claimed = claim.jobs[0]
        let task = TaskID("task-\(claimed.job)")
        _ = try await ledger.record(.accepted(claimed.attempt, task: task, httpStatus: 200), now: now)
        _ = try await ledger.record(
            .taskSucceeded(
                claimed.attempt,
                [.file(url: "https://example.org/\(claimed.job)")],
                charged: Credits(millicredits: 14_000),
                fetch: true
            ),
            now: now
        )
        let path = "default/\(claimed.job)-\(name)"
        try FileManager.default.createDirectory(atPath: media + "/default", withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: "\(media)/\(path)"))
        let saved = SavedFile(
            path: path,
            contentType: type,
            bytes: Int64(bytes.count),
            sha256: String(repeating: "ab", count: 32)
        )
        _ = try await ledger.record(.resultSaved(ResultID(job: claimed.job, ordinal: 0), saved), now: now)
        return claimed.job
    }

    /// Sends the next job, and keeps it there.
    @discardableResult
    func start() async throws -> ClaimedJob {
        let claimed = try await claim()
        let task = TaskID("task-\(claimed.job)")
        _ = try await ledger.record(.accepted(claimed.attempt, task: task, httpStatus: 200), now: now)
        return claimed
    }

    /// Sends the next job; its task fails.
    func fail() async throws {
        let claimed = try await start()
        let failure = Failure(.contentRefused, "the content was refused")
        _ = try await ledger.record(
            .taskFailed(claimed.attempt, failure, charged: .zero, then: .fail),
            now: now
        )
    }

    /// Sends the next job; the answer is lost.
    func lose() async throws {
        let failure = Failure(.answerLost, "no answer within 30s: the task may exist and may have been charged")
        _ = try await ledger.record(.unknown(try await claim().attempt, failure), now: now)
    }

    private func claim() async throws -> ClaimedJob {
        let request = ClaimRequest(
            limit: 1,
            rate: RateLimit(count: 1_000, window: .seconds(10)),
            runningLimit: 1_000,
            now: now
        )
        return try await ledger.claim(request) { $0.prepared(by: .builtIn, unknownModels: .allow) }.jobs[0]
    }

    /// What is answered.
    func get(
        _ uri: String,
        _ headers: HTTPFields = [:]
    ) async throws -> (status: Int, headers: HTTPFields, body: ByteBuffer) {
        try await request(.get, uri, headers)
    }

    func request(
        _ method: HTTPRequest.Method,
        _ uri: String,
        _ headers: HTTPFields = [:],
        body: String? = nil
    ) async throws -> (status: Int, headers: HTTPFields, body: ByteBuffer) {
        struct Nothing: StatusSource {
            func isWritable() async -> Bool { true }
            func figures() async throws(LedgerError) -> StatusFigures { StatusFigures() }
        }
        let application = Application(
            router: WebServer.router(source: Nothing(), isRunning: { true }, dashboard: dashboard)
        )
        return try await application.test(.router) { client in
            try await client.execute(
                uri: uri,
                method: method,
                headers: headers,
                body: body.map { ByteBuffer(string: $0) }
            ) {
                ($0.status.code, $0.headers, $0.body)
            }
        }
    }

    func snapshot(_ known: LiveFeed.Snapshot?) async throws -> LiveFeed.Snapshot {
        let now = now
        return try await Dashboard.snapshot(known: known, source, 4711) { now }
    }

    /// The page of a job that is of no chain.
    static func alone() async throws -> String {
        let fixture = try DashboardFixture()
        try fixture.add("a still")
        return try await fixture.text("/jobs/1")
    }

    func text(_ uri: String) async throws -> String { String(buffer: try await get(uri).body) }

    func json(_ uri: String) async throws -> JSONObject {
        try JSONValue(parsing: try await text(uri)).objectValue ?? [:]
    }
}

/// A clock that goes when it is told to.
private final class PassedTime: Sendable {
    private let passed = Mutex(Duration.zero)

    var time: Duration { passed.withLock { $0 } }

    func pass(_ more: Duration) { passed.withLock { $0 += more } }
}

/// What lets changes open the queue so many times more; nil: however often.
private final class Door: Sendable {
    private let left = Mutex<Int?>(nil)

    func set(_ number: Int?) { left.withLock { $0 = number } }

    func pass() throws {
        let isShut = left.withLock { left in
            guard let number = left else { return false }
            left = max(number - 1, 0)
            return number == 0
        }
        if isShut { throw LedgerError(.inputOutput, "the queue cannot be opened") }
    }
}
