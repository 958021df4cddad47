import EmptyLedger
import FoundationEssentials
import JobStore
import PromptQueue

/// An engine with its ledger on a real file; time, answers and the account's balance are the test's.
///
/// Every effect is carried out at once, so a request is never under way while something else happens.
final class EngineRun {
    var engine: Engine
    let ledger: SQLiteLedger
    let path: String
    var now = Moment(instant: Instant(milliseconds: 1_800_000_000_000), uptime: .seconds(1_000))
    /// Nil: the balance cannot be read.
    var balance: Credits?
    /// How each request is answered, in order; after the last one, as the last.
    var answers: [SubmissionOutcome] = []
    /// How each question about a task is answered.
    var poll: PollOutcome = .pending(providerState: "waiting")
    private(set) var notices: [Notice] = []
    private var wake: Duration?
    private let directory: String

    init(_ change: (inout EngineSettings) -> Void = { _ in }) throws {
        var settings = EngineSettings()
        settings.firstSubmissions = 1_000
        settings.downloadsEnabled = false
        change(&settings)
        engine = Engine(settings: settings, seed: 11)
        directory = FileManager.default.temporaryDirectory.path + "/promptd-run-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        path = directory + "/ledger.sqlite"
        try EmptyLedger.write(to: path)
        ledger = try SQLiteLedger(path: path)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: directory) } catch { print(error) }
    }

    func start() async throws {
        try await send(.started(try await ledger.recover(now: now.instant, rate: engine.settings.rate)))
    }

    /// Adds a job of the model `m`, at 14 credits; its id.
    func add() async throws -> JobID {
        let job = try read {
            try $0.add([NewJob(prompt: "x", model: "m", input: "{}", queue: "default")], now: now.instant)
        }
        try await send(.ledgerChanged)
        return job[0]
    }

    func details(of job: JobID) throws -> JobDetails? { try read { try $0.details(of: job) } }

    func gates() throws -> [String] { try read { try $0.status().gates.map(\.name) } }

    /// What somebody does with `promptctl` meanwhile.
    func read<T>(_ body: (QueueFile) throws -> T) throws -> T {
        let file = try QueueFile(path: path)
        let result = try body(file)
        try file.close()
        return result
    }

    /// Lets time pass, with every wake on the way.
    func pass(_ duration: Duration) async throws {
        let end = now.uptime + duration
        while let next = wake, next <= end {
            wake = nil
            now = now + max(next - now.uptime, .zero)
            try await send(.tick)
        }
        now = now + (end - now.uptime)
        try await send(.tick)
    }

    func send(_ event: EngineEvent) async throws {
        var events = [event]
        while !events.isEmpty {
            for effect in engine.handle(events.removeFirst(), now: now) {
                switch effect {
                case .claim(let request):
                    events.append(.claimed(try await ledger.claim(request, prepare: Self.prepare)))
                case .submit(let job): events.append(.submitted(job.attempt, nextAnswer(job)))
                case .record(let change):
                    events.append(.recorded(change, try await ledger.record(change, now: now.instant)))
                case .poll(let task): events.append(.polled(task.attempt, poll))
                case .checkBalance:
                    let unknown = EngineEvent.balanceUnknown(Failure(.providerUnavailable, "…"))
                    events.append(balance.map { .balance($0) } ?? unknown)
                case .wake(let uptime): wake = uptime
                case .notify(let notice): notices.append(notice)
                case .checkDownloads(let results):
                    events.append(.downloadsChecked(unwanted: try await ledger.unwanted(results)))
                case .discard(let result, _): events.append(.discarded(result))
                case .download, .cancelDownload, .stop: break
                }
            }
        }
    }

    private func nextAnswer(_ job: ClaimedJob) -> SubmissionOutcome {
        if answers.count > 1 { return answers.removeFirst() }
        return answers.first ?? .accepted(TaskID("task-\(job.attempt)"), httpStatus: 200)
    }

    private static let prepare: @Sendable (QueuedJob) -> Preparation = { _ in
        .ready(
            PreparedInput(
                input: [:],
                estimate: Estimate(credits: Credits(millicredits: 14_000), basis: .listed("test")),
                unknownFields: []
            )
        )
    }
}
