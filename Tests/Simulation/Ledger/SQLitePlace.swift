import Dispatch
import EmptyLedger
import FoundationEssentials
import GRDB
import Glibc
import JobStore
import PromptQueue
import Synchronization

/// The real ledger on a scratch file, with the connections of the daemon and of its users.
final class SQLitePlace: SimulatedPlace {
    private static let count = Atomic<Int>(0)

    private let directory: String
    private var copies = 0
    private let options: SQLiteLedger.Options
    private var path: String
    private var store: SQLiteLedger
    /// A user's, with SQL.
    private var shell: DatabaseQueue
    /// A user's, with promptctl.
    private(set) var client: any QueueClient

    init(seed: UInt64) throws {
        let number = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
        directory = Self.scratch() + "/promptd-simulation-\(getpid())-\(seed)-\(number)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        path = directory + "/promptd.sqlite"
        var options = SQLiteLedger.Options()
        // A world records one change at a time: in every other it is written as many are.
        options.leastGroup = seed.isMultiple(of: 2) ? 1 : 2
        self.options = options
        try EmptyLedger.write(to: path)
        store = try SQLiteLedger(path: path, options: options)
        shell = try DatabaseQueue(path: path, configuration: Self.configuration)
        client = try QueueFile(path: path)
    }

    /// In memory where there is such a place: the simulation is about what is committed, not about how it reaches a disk.
    private static func scratch() -> String {
        if unsafe access("/dev/shm", W_OK | X_OK) == 0 { return "/dev/shm" }
        return ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.qos = .default
        configuration.busyMode = .timeout(10)
        return configuration
    }

    /// The daemon's.
    var ledger: any LedgerStore { store }
    let dialect = Dialect.sqlite
    let hasOwnClock = false
    let isFolded = false
    let isShared = false
    var turn = 0

    /// A connection is there, an earlier process's or a new one.
    func open() async throws {}
    func setClock(_ now: Instant) {}
    func fold() throws {}

    /// A start knows what the process before it has left.
    func takeOver(now: Instant) async throws -> String? { nil }

    func reopen() throws {
        try store.close()
        store = try SQLiteLedger(path: path, options: options)
    }

    /// Goes on with a copy of the files as they lie there now, the log included: what a process that was killed leaves.
    func moveToCopy() throws {
        copies += 1
        let copy = directory + "/promptd-\(copies).sqlite"
        // The ledger may be cutting its log short just now, after a commit; with the write lock it cannot.
        try shell.inDatabase { db in
            try db.beginTransaction(.immediate)
            for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
                try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
            }
            try db.rollback()
        }
        try close()
        path = copy
        store = try SQLiteLedger(path: path, options: options)
        shell = try DatabaseQueue(path: path, configuration: Self.configuration)
        client = try QueueFile(path: path)
    }

    func remove() throws {
        try close()
        try FileManager.default.removeItem(atPath: directory)
    }

    private func close() throws {
        try store.close()
        try client.close()
        try shell.close()
    }

    // MARK: - SQL

    // Without the transaction around each that `read` would make: nobody else is at work meanwhile.

    func columns(of table: String) throws -> [String] {
        try rows("SELECT name FROM pragma_table_info('\(table)')", []).map { $0[0] }
    }

    func rows(_ sql: String, _ arguments: SimulatedArguments) throws -> [SimulatedRow] {
        try shell.inDatabase { db in
            let statement = try db.cachedStatement(sql: sql)
            let columns = statement.columnNames
            return try Row.fetchAll(statement, arguments: Self.bindings(arguments))
                .map { SimulatedRow(columns, $0.databaseValues.map(Self.value)) }
        }
    }

    func number(_ sql: String, _ arguments: SimulatedArguments) throws -> Int64 {
        try shell.inDatabase { db in
            try Int64.fetchOne(db.cachedStatement(sql: sql), arguments: Self.bindings(arguments))
        } ?? 0
    }

    func tries(_ sql: String) throws -> Bool {
        do {
            try shell.write { db in try db.execute(sql: sql) }
            return true
        } catch is DatabaseError {
            return false
        }
    }

    func runAll(_ sql: String, _ arguments: [SimulatedArguments]) throws {
        try shell.write { db in
            let statement = try db.cachedStatement(sql: sql)
            for values in arguments { try statement.execute(arguments: Self.bindings(values)) }
        }
    }

    @discardableResult
    func run(_ sql: String, _ arguments: SimulatedArguments) throws -> Bool {
        do {
            try shell.write { db in try db.execute(sql: sql, arguments: Self.bindings(arguments)) }
            return true
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            return false
        }
    }

    private static func bindings(_ arguments: SimulatedArguments) -> StatementArguments {
        StatementArguments(
            arguments.map { argument -> DatabaseValue in
                switch argument?.simulated ?? .null {
                case .null: .null
                case .integer(let number): number.databaseValue
                case .real(let number): number.databaseValue
                case .text(let text): text.databaseValue
                case .bytes(let bytes): Data(bytes).databaseValue
                }
            }
        )
    }

    private static func value(_ value: DatabaseValue) -> SimulatedValue {
        switch value.storage {
        case .null: .null
        case .int64(let number): .integer(number)
        case .double(let number): .real(number)
        case .string(let text): .text(text)
        case .blob(let data): .bytes(Array(data))
        }
    }
}
