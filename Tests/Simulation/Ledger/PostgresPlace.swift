import FoundationEssentials
import Glibc
import JobStore
package import Postgres
import PostgresStore
import PromptQueue

/// The real ledger in a database of a PostgreSQL server's, with the connections of the daemon and of its users.
///
/// The server's clock is true time, which nobody sets: a daemon's own may be set. When a daemon's process
/// is gone the next one, which has its files, ends its epoch. The lease of one alone is for ever; several have promptd's own, by true time.
final class PostgresPlace: SimulatedPlace {
    private let server: SimulatedServer
    private let name: String
    private let marks: String
    /// Of each daemon's process, while there is one.
    private var stores: [Int: PostgresLedger] = [:]
    /// True time since the world began, for leases.
    private let time = TrueTime()
    /// A user's, with SQL.
    private let shell: BlockingConnection
    /// A user's, with promptctl.
    private let queue: PostgresQueue
    private var statements: [String: SQL] = [:]
    /// What the clock is to show, and what it shows.
    private var clock = (due: Int64(1), shown: Int64(0))

    init(seed: UInt64, isShared: Bool = false) async throws {
        self.isShared = isShared
        server = try await SimulatedServer.shared()
        name = try await server.database()
        marks = Self.scratch() + "/promptd-simulation-\(getpid())-\(name)"
        var users = server.settings(name, applicationName: "psql")
        users.parameters["search_path"] = "promptd"
        shell = try BlockingConnection(users)
        queue = try PostgresQueue(server.settings(name, applicationName: "promptctl"))
    }

    private static func scratch() -> String {
        if unsafe access("/dev/shm", W_OK | X_OK) == 0 { return "/dev/shm" }
        return ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    }

    func open() async throws {
        guard stores[turn] == nil else { return }
        try showTime()
        var options = PostgresLedger.Options()
        if !isShared { options.lease = .seconds(10 * 365 * 86_400) }
        // What happens by itself, happens at any time.
        options.isKeptUp = false
        options.clock = { [time] in time.now }
        stores[turn] = try await PostgresLedger(server.settings(name, applicationName: "promptd"), options: options)
    }

    let dialect = Dialect.postgresql
    let hasOwnClock = true
    let isFolded = true
    let isShared: Bool
    var turn = 0

    var ledger: any LedgerStore {
        get throws {
            try showTime()
            guard let store = stores[turn] else { throw LedgerError(.other, "no daemon has opened the store") }
            return store
        }
    }

    var client: any QueueClient {
        get throws {
            try showTime()
            return queue
        }
    }

    func setClock(_ now: Instant) {
        clock.due = now.milliseconds
        time.set(now)
    }

    /// Only when somebody may look.
    private func showTime() throws {
        guard clock.due != clock.shown else { return }
        _ = try shell.pipeline { show(&$0) }
    }

    /// What is set stays so, whatever becomes of the statements after it.
    private func show(_ pipeline: inout PostgresPipeline) {
        guard clock.due != clock.shown else { return }
        pipeline.add("SELECT setval('promptd.simulated_clock', $1)", [.int(clock.due)])
        clock.shown = clock.due
    }

    /// A server outlives the daemon's process: that one's connections are gone, and another one comes.
    func reopen() async throws {
        await stores.removeValue(forKey: turn)?.disconnect()
    }

    func moveToCopy() async throws { try await reopen() }

    func takeOver(now: Instant) async throws -> String? {
        let age = try await ledger.checkAge(marks: [marks + "-\(turn)"], now: now)
        return age.copy?.text ?? age.problems.first
    }

    func fold() throws { _ = try query("SELECT fold()", []) }

    func remove() async throws {
        for store in stores.values { await store.disconnect() }
        try queue.close()
        try shell.close()
        try await server.drop(name)
        for number in 0..<4 where FileManager.default.fileExists(atPath: marks + "-\(number)") {
            try FileManager.default.removeItem(atPath: marks + "-\(number)")
        }
    }

    // MARK: - SQL

    func columns(of table: String) throws -> [String] {
        try rows(
            """
            SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
            """,
            [table]
        ).map { $0[0] }
    }

    func rows(_ sql: String, _ arguments: SimulatedArguments) throws -> [SimulatedRow] {
        let found = try query(sql, arguments)
        let columns = found.columns
        return try found.map { row in
            SimulatedRow(columns, try columns.indices.map { try row[$0] })
        }
    }

    func number(_ sql: String, _ arguments: SimulatedArguments) throws -> Int64 {
        try rows(sql, arguments).first?[0] ?? 0
    }

    func tries(_ sql: String) throws -> Bool {
        do {
            _ = try shell.pipeline { pipeline in
                show(&pipeline)
                // As it is: what looks like a parameter is none.
                pipeline.add(SQL(pasted: sql))
            }
            return true
        } catch let error as PostgresError where error.server != nil {
            return false
        }
    }

    @discardableResult
    func run(_ sql: String, _ arguments: SimulatedArguments) throws -> Bool {
        do {
            _ = try query(sql, arguments)
            return true
        } catch let error as PostgresError where ["23", "P0"].contains(error.sqlState?.errorClass) {
            return false
        }
    }

    func runAll(_ sql: String, _ arguments: [SimulatedArguments]) throws {
        let statement = numbered(sql)
        _ = try shell.pipeline { pipeline in
            show(&pipeline)
            for values in arguments { pipeline.add(statement, values.map(PostgresValue.init)) }
        }
    }

    private func query(_ sql: String, _ arguments: SimulatedArguments) throws -> PostgresRows {
        let statement = numbered(sql)
        let found = try shell.pipeline { pipeline in
            show(&pipeline)
            pipeline.add(statement, arguments.map(PostgresValue.init))
        }
        return found[found.count - 1]
    }

    /// With numbers in the places of question marks.
    private func numbered(_ sql: String) -> SQL {
        if let known = statements[sql] { return known }
        var parts = sql.split(separator: "?", omittingEmptySubsequences: false).map(String.init)
        for number in parts.indices.dropLast() { parts[number] += "$\(number + 1)" }
        let statement = SQL(kept: parts.joined())
        statements[sql] = statement
        return statement
    }
}

extension PostgresValue {
    fileprivate init(_ argument: (any SimulatedColumn)?) {
        self =
            switch argument?.simulated ?? .null {
            case .null: .null
            case .integer(let number): .int(number)
            case .real(let number): .double(number)
            case .text(let text): .text(text)
            case .bytes(let bytes): .bytes(bytes)
            }
    }
}

extension SimulatedValue: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> SimulatedValue {
        if cell.isNull { return .null }
        if let number = try? Int64.decode(cell) { return .integer(number) }
        if let flag = try? Bool.decode(cell) { return .integer(flag ? 1 : 0) }
        return .text(try String.decode(cell))
    }
}
