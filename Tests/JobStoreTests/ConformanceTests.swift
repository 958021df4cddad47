import EmptyLedger
import FoundationEssentials
import JobStore
import LedgerConformance
import PromptQueue
import Testing

/// A ledger in SQLite, with producers who go by promptctl's way.
private struct SQLitePlace: LedgerPlace {
    let path: String

    init() throws {
        path = ScratchDirectory.make() + "/ledger.sqlite"
        try EmptyLedger.write(to: path)
    }

    private func file<T>(_ body: (QueueFile) throws -> T) throws -> T {
        let file = try QueueFile(path: path)
        let result = Result { try body(file) }
        try file.close()
        return try result.get()
    }

    func open() throws -> any CoreLedger { try SQLiteLedger(path: path) }

    func add(prompt: String, input: String, queue: String, priority: Int64, maxAttempts: Int) throws -> JobID {
        var job = NewJob(prompt: prompt, model: "flux-2/flex-text-to-image", input: input, queue: queue)
        job.priority = priority
        job.maxAttempts = maxAttempts
        return try file { try $0.add([job], now: Instant(milliseconds: 1_800_000_000_000))[0] }
    }

    func cancel(_ job: JobID) throws { _ = try file { try $0.apply(.cancel, to: [job]) } }
    func retry(_ job: JobID) throws { _ = try file { try $0.apply(.retry, to: [job]) } }
    func pause(_ queue: String) throws { try file { try $0.setPaused(true, queue: queue) } }

    func setAccount(_ account: AccountName, queue: String) throws {
        try file { try $0.setAccount(account, queue: queue) }
    }

    func setBudget(_ name: String, limit: Credits) throws {
        try file { try $0.setBudget(name, scope: BudgetScope(), period: .total, limit: limit) }
    }

    func add(_ schedule: ScheduleRecord) throws { try file { try $0.add(schedule, replaces: false) } }
    func release() throws { try file { try $0.release() } }
    var mark: String { FilePathParts.split(path).directory + "/mark" }

    func state(of job: JobID) throws -> JobState? { try file { try $0.details(of: job)?.job.state } }
    func charged(_ job: JobID) throws -> Credits? { try file { try $0.details(of: job)?.job.charged } }

    func reserved(_ job: JobID) throws -> Credits {
        try file { try $0.details(of: job)?.attempts.reduce(.zero) { $0 + $1.reserved } ?? .zero }
    }

    private func figures() async throws -> StatusFigures {
        let ledger = try SQLiteLedger(path: path)
        let figures = try await ledger.figures()
        try ledger.close()
        return figures
    }

    func charged() async throws -> Credits { try await figures().charged }
    func reserved() async throws -> Credits { try await figures().reserved }
}

@Suite struct ConformanceTests {
    @Test(arguments: LedgerConformance.allCases)
    func `the ledger in SQLite does what every ledger must`(check: LedgerConformance) async throws {
        let place = try SQLitePlace()
        defer { try? FileManager.default.removeItem(atPath: FilePathParts.split(place.path).directory) }
        try await check.check(place)
    }
}
