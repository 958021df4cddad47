import EmptyLedger
import FoundationEssentials
import GRDB
import JobStore
import PromptQueue

/// A ledger in a directory of its own, and a second connection that plays the user's shell.
final class LedgerFixture: Sendable {
    let directory: String
    let path: String
    let ledger: SQLiteLedger
    let shell: DatabaseQueue
    let now = Instant(milliseconds: 1_800_000_000_000)

    init(_ options: SQLiteLedger.Options = .init()) throws {
        directory = ScratchDirectory.make()
        path = directory + "/ledger.sqlite"
        try EmptyLedger.write(to: path)
        ledger = try SQLiteLedger(path: path, options: options)
        shell = try openShell(path)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    // MARK: - The user's side

    func run(_ sql: String) throws {
        try shell.write { try $0.execute(sql: sql) }
    }

    /// Rows as text, columns joined by a bar, as the `sqlite3` shell prints them.
    func rows(_ sql: String) throws -> [String] {
        try shell.read { db in
            try Row.fetchAll(db, sql: sql).map { row in
                row.databaseValues.map { value -> String in
                    switch value.storage {
                    case .null: ""
                    case .int64(let number): String(number)
                    case .double(let number): String(number)
                    case .string(let text): text
                    case .blob: "blob"
                    }
                }
                .joined(separator: "|")
            }
        }
    }

    /// The message with which the database refuses a statement; nil if it does not.
    func refusal(_ sql: String) -> String? {
        do {
            try run(sql)
            return nil
        } catch let error as DatabaseError {
            return error.message
        } catch {
            return "\(error)"
        }
    }

    /// Inserts jobs; each text is what follows `INSERT INTO jobs`.
    func insert(_ values: String...) throws {
        for value in values { try run("INSERT INTO jobs " + value) }
    }

    // MARK: - The daemon's side

    func request(_ limit: Int, at instant: Instant? = nil, running: Int = 100) -> ClaimRequest {
        ClaimRequest(
            limit: limit,
            rate: RateLimit(count: 20, window: .seconds(10)),
            runningLimit: running,
            now: instant ?? now
        )
    }

    func claim(_ limit: Int, at instant: Instant? = nil) async throws -> Claim {
        try await claim(request(limit, at: instant))
    }

    func claim(_ request: ClaimRequest) async throws -> Claim {
        try await ledger.claim(request) { job in
            if job.prompt == "bad" {
                return .refused(
                    Refusal(
                        code: .invalidInput,
                        problems: [InputProblem(field: "prompt", kind: .tooShort, message: "too short")]
                    )
                )
            }
            let credits = Credits(millicredits: job.prompt == "dear" ? 100_000 : 14_000)
            return .ready(
                PreparedInput(
                    input: ["prompt": .string(job.prompt ?? "")],
                    estimate: Estimate(credits: credits, basis: .listed("test")),
                    unknownFields: []
                )
            )
        }
    }

    func claimOne() async throws -> ClaimedJob {
        let claim = try await claim(1)
        guard let job = claim.jobs.first else { throw LedgerError(.other, "nothing to claim") }
        return job
    }

    /// Inserts a job and brings it to run; its attempt.
    func runOne(_ task: String = "task-1") async throws -> ClaimedJob {
        try insert("(prompt) VALUES ('a red fox')")
        let job = try await claimOne()
        try await record(.accepted(job.attempt, task: TaskID(task), httpStatus: 200))
        return job
    }

    @discardableResult
    func record(_ change: LedgerChange, at instant: Instant? = nil) async throws -> CommitResult {
        try await ledger.record(change, now: instant ?? now)
    }

    func state(_ job: JobID) throws -> String? {
        try rows("SELECT state FROM jobs WHERE id = \(job)").first
    }
}

enum ScratchDirectory {
    /// A new directory that nobody else uses.
    static func make() -> String {
        let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let path = base + "/promptd-test-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }
}
