import EmptyLedger
import FoundationEssentials
import GRDB
import Glibc
import JobStore
import Postgres
import PostgresServer
import PostgresStore
import PromptQueue
import StateFiles
import Synchronization

@testable import PromptCommands

/// A database in a directory of its own, and a console that remembers what was said. Time passes by sleeping only.
final class CommandFixture: Sendable {
    struct Outcome {
        var code: Int32
        /// Lines of standard output.
        var output: [String]
        /// Lines of standard error.
        var talk: [String]
    }

    let directory: String
    /// Nil: a file.
    private let server: CommandDatabase?
    private let now = Mutex(Instant(milliseconds: 1_795_000_000_000))
    private let configure: @Sendable (inout Console) -> Void

    init(_ configure: @escaping @Sendable (inout Console) -> Void = { _ in }) throws {
        directory = FileManager.default.temporaryDirectory.path + "/promptctl-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        self.configure = configure
        server = try CommandServer.current?.database()
        if server == nil { try EmptyLedger.write(to: database) }
    }

    deinit {
        // Whoever lets go of it last may be the thread that a connection waits for.
        if let server { Task { do { try server.remove() } catch { print(error) } } }
        do { try FileManager.default.removeItem(atPath: directory) } catch { print(error) }
    }

    /// As a command line names it.
    var database: String { server?.address ?? directory + "/q.sqlite" }

    var place: DatabasePlace { DatabasePlace(database) }

    /// Where files wait that are to be uploaded.
    var spool: String { server == nil ? database + "-uploads" : directory + "/.promptd-uploads" }

    var instant: Instant { now.withLock { $0 } }

    /// Runs a statement of somebody's shell on the fixture's database.
    func sql(_ statement: String) throws {
        guard let server else { return try Self.sql(statement, at: database) }
        try server.setClock(instant)
        try server.sql(statement)
    }

    static func sql(_ statement: String, at path: String) throws {
        guard DatabasePlace(path).path != nil else {
            var settings = PostgresSettings.patient(path, applicationName: "psql")
            settings.parameters["search_path"] = "promptd"
            let shell = try BlockingConnection(settings)
            try shell.script(SQL(pasted: statement))
            return try shell.close()
        }
        let shell = try DatabaseQueue(path: path)
        try shell.write { try $0.execute(sql: statement) }
        try shell.close()
    }

    /// Runs a command on the fixture's database.
    func run(
        _ arguments: String...,
        environment: [String: String] = [:],
        input: String? = nil,
        terminal: Bool = false
    ) async throws -> Outcome {
        try await run(arguments, environment: environment, input: input, terminal: terminal)
    }

    func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String? = nil,
        terminal: Bool = false
    ) async throws -> Outcome {
        let output = Sink()
        let talk = Sink()
        try server?.setClock(instant)
        var console = Console(
            environment: ["PROMPTD_DATABASE": database, "TMPDIR": directory]
                .merging(server == nil ? [:] : ["PROMPTD_MEDIA": directory]) { $1 }.merging(environment) { $1 },
            now: { self.instant },
            sleep: { duration in
                self.now.withLock { $0 = $0 + duration }
                try self.server?.setClock(self.instant)
            },
            writeOutput: { output.write($0) },
            writeError: { talk.write($0) }
        )
        console.isOutputTerminal = terminal
        console.isErrorTerminal = terminal
        configure(&console)
        var descriptor: Int32?
        if let input {
            let opened = unsafe open(try write(input, "stdin"), O_RDONLY)
            console.inputDescriptor = opened
            descriptor = opened
        }
        defer { if let descriptor { close(descriptor) } }
        let code = await Console.$current.withValue(console) { await PromptctlCommand.run(arguments) }
        return Outcome(code: code, output: output.lines, talk: talk.lines)
    }

    /// Makes a file; returns its path.
    @discardableResult
    func write(_ text: String, _ name: String) throws -> String {
        try write(Array(text.utf8), name)
    }

    @discardableResult
    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        let path = directory + "/" + name
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    /// Makes a directory the media directory of the fixture's database.
    func own(_ folder: String) throws {
        let file = try queue()
        let id = try file.databaseID()
        try file.close()
        try write(id + "\n", folder + "/.promptd")
    }

    /// The queue, beside a command.
    func queue() throws -> any QueueClient {
        try server?.setClock(instant)
        return try QueueOpener.open(place)
    }

    /// The daemon's ledger. Of a server's it is closed as by a daemon that ends.
    func ledger() async throws -> any CommandLedger {
        guard let server else { return try SQLiteLedger(path: database) }
        try server.setClock(instant)
        return try await PostgresLedger.patient(database)
    }

    /// A daemon is at work as long as what is returned lives.
    func daemon() throws -> AnyObject {
        guard let server else { return try OwnerLock(database: database) }
        try server.setClock(instant)
        try server.sql("INSERT INTO daemons (name, pid, lease_until) VALUES ('promptd', \(getpid()), 253402300799999)")
        return server
    }

    /// All jobs, the newest first.
    func jobs() throws -> [JobRecord] {
        let file = try queue()
        var jobs: [JobRecord] = []
        try file.forEachJob(matching: JobFilter(), limit: .max) { jobs.append($0) }
        try file.close()
        return jobs
    }

    /// Sends the next `count` jobs as a daemon would, and lets each end in its way.
    func submit(_ endings: Ending...) async throws {
        let ledger = try await self.ledger()
        let request = ClaimRequest(
            limit: endings.count,
            rate: RateLimit(count: 1_000, window: .seconds(10)),
            runningLimit: 1_000,
            now: instant
        )
        let claim = try await ledger.claim(request) { job in
            job.prepared(by: .builtIn, unknownModels: .allow)
        }
        for (job, ending) in zip(claim.jobs, endings) { try await finish(job, ending, ledger) }
        try await ledger.close()
        try server?.sql("UPDATE daemons SET lease_until = 0 WHERE pid IS NULL AND ended_at IS NULL")
    }

    enum Ending {
        case running, succeeded, failed, unconfirmed, undownloaded
    }

    private func finish(_ job: ClaimedJob, _ ending: Ending, _ ledger: any CommandLedger) async throws {
        if ending == .unconfirmed {
            let failure = Failure(.answerLost, "no answer within 30s: the task may exist and may have been charged")
            _ = try await ledger.record(.unknown(job.attempt, failure), now: instant)
            return
        }
        let task = TaskID("task-\(job.job)")
        _ = try await ledger.record(.accepted(job.attempt, task: task, httpStatus: 200), now: instant)
        switch ending {
        case .running, .unconfirmed: break
        case .succeeded:
            let url = "https://media.example/\(job.job).png"
            _ = try await ledger.record(
                .taskSucceeded(job.attempt, [.file(url: url)], charged: Credits(millicredits: 14_000), fetch: true),
                now: instant
            )
            let file = SavedFile(
                path: "default/\(job.job)-0.png",
                contentType: "image/png",
                bytes: 1_234,
                sha256: String(repeating: "a", count: 64)
            )
            _ = try await ledger.record(.resultSaved(ResultID(job: job.job, ordinal: 0), file), now: instant)
        case .undownloaded:
            let output = TaskOutput.file(url: "https://media.example/\(job.job).png")
            let charged = Credits(millicredits: 14_000)
            _ = try await ledger.record(
                .taskSucceeded(job.attempt, [output], charged: charged, fetch: true),
                now: instant
            )
            let result = ResultID(job: job.job, ordinal: 0)
            _ = try await ledger.record(
                .resultFailed(result, message: "the media server answered HTTP 404"),
                now: instant
            )
        case .failed:
            let failure = Failure(.contentRefused, "the content was refused")
            _ = try await ledger.record(.taskFailed(job.attempt, failure, charged: .zero, then: .fail), now: instant)
        }
    }
}

/// What of a ledger the fixtures use.
typealias CommandLedger = CoreLedger & HintSource & PriceStore

/// Collects what is written.
private final class Sink: Sendable {
    private let text = Mutex("")

    func write(_ more: String) { text.withLock { $0 += more } }

    var lines: [String] {
        var lines = text.withLock { $0 }.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }
}
