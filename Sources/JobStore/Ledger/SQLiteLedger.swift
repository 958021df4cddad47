import GRDB
import Glibc
package import PromptQueue
import StateFiles
import Synchronization

/// The ledger in a SQLite file.
package final class SQLiteLedger: LedgerUpkeep, Sendable {
    package struct Options: Sendable {
        /// How many changes share one transaction at most; 1 gives each its own.
        package var changesPerCommit = 512
        /// So many answers, or ends, of a transaction are written by the same statements at least: fewer, each by itself.
        package var leastGroup = 2
        /// The log is copied into the database and cut to nothing when it has grown to this many bytes: well below
        /// the 1,000 pages at which the `sqlite3` shell would do it by itself.
        package var walBytes = 600 * 4_120
        /// Nothing new is claimed while the log is longer: a reader of another process keeps it from being cut, and it must not
        /// take the whole disk.
        package var walLimit = 1 << 30
        /// For how long a request whose answer was lost keeps its slot of the rate window.
        package var lateArrival = LateArrival.longest
        /// Told of each checkpoint that readers or writers of other processes kept from finishing.
        package var onBusyCheckpoint: @Sendable () -> Void = {}

        /// Told how long each transaction took, its sync included.
        package var onCommit: @Sendable (Duration) -> Void = { _ in }

        /// Told of each step that brings an older database up to date, before it begins: `2 of 8`.
        package var onMigration: @Sendable (String) -> Void = { _ in }

        package init() {}
    }

    /// Behind symbolic links.
    package let path: String
    /// The database's own name, which it keeps for ever.
    package let databaseID: String
    /// The files that it works on.
    package let files: FileIdentity
    let lateArrival: Duration
    private let walLimit: Int
    let pool: DatabasePool
    let commits: GroupCommit
    let rotations = Mutex<[AccountName: QueueRotation]>([:])
    /// Where the number of the last request is noted outside the database; nil before it has been compared.
    let marks = Mutex<RequestMarks?>(nil)
    let knownModels = Mutex(KnownModels())
    let searchIndex: SearchIndex

    /// - Throws: `LedgerError` when the file cannot be opened, is not promptd's, or has a newer schema.
    package init(path: String, options: Options = Options()) throws(LedgerError) {
        let path = try DatabasePath.resolve(path)
        self.path = path
        lateArrival = options.lateArrival
        walLimit = options.walLimit
        let pool: DatabasePool
        do {
            pool = try LedgerFile.openPool(at: path, onMigration: options.onMigration)
        } catch {
            throw LedgerError(error.code, error.message.hasPrefix(path) ? error.message : "\(path): \(error.message)")
        }
        self.pool = pool
        searchIndex = SearchIndex(database: path)
        databaseID = try LedgerError.wrapping {
            try pool.read { try String.fetchOne($0, sql: "SELECT database_id FROM daemon") ?? "" }
        }
        files = FileIdentity(path)
        let checkpoint = Checkpoint(onBusy: options.onBusyCheckpoint)
        self.checkpoint = checkpoint
        commits = GroupCommit(
            pool,
            maximum: options.changesPerCommit,
            leastGroup: options.leastGroup,
            lateArrival: options.lateArrival,
            onCommit: options.onCommit
        ) { db in
            if Self.walSize(path) >= options.walBytes { try checkpoint.run(db) }
        }
    }

    private let checkpoint: Checkpoint

    /// Copies the log into the database and cuts it to nothing, unless it is empty already.
    /// Cuts the write-ahead log short.
    package func maintain() async throws(LedgerError) {
        guard Self.walSize(path) > 0 else { return }
        try await LedgerError.wrapping {
            try await self.pool.writeWithoutTransaction { [checkpoint = self.checkpoint] db in try checkpoint.run(db) }
        }
    }

    /// How many transactions this process has committed.
    package var transactions: Int { commits.transactions }

    package var watchedFiles: [String] { [path, path + "-wal"] }

    /// A log that grew while a reader stood in the way is copied at the speed of the disk.
    package var isMaintenanceLong: Bool { walBytes > 64 << 20 }

    package var requestMark: String { path + "-requests" }

    package var loss: LedgerLoss? { files.loss.map(LedgerLoss.files) }

    /// The length of the write-ahead log.
    package var walBytes: Int { Self.walSize(path) }

    /// - Throws: `LedgerError` with code `busy` while the log is longer than it may be.
    func checkLog() throws(LedgerError) {
        let bytes = walBytes
        guard bytes > walLimit else { return }
        throw LedgerError(
            .busy,
            "the write-ahead log has grown to \(bytes >> 20) MiB, because another process has been reading the database for "
                + "long: end that (fuser -v \(path)); what is under way goes on"
        )
    }

    package func close() throws(LedgerError) {
        try LedgerError.wrapping {
            try self.pool.close()
            try self.searchIndex.close()
        }
    }

    package func hasForeignChanges() async throws(LedgerError) -> Bool {
        try await LedgerError.wrapping {
            // data_version changes on a connection only when another connection commits: on the writer's, that is
            // another process (https://sqlite.org/pragma.html#pragma_data_version).
            try await self.pool.writeWithoutTransaction { [dataVersion] db in
                let version = try db.cachedStatement(sql: "PRAGMA data_version")
                let found = try Int64.fetchOne(version) ?? 0
                return dataVersion.replace(found) != found
            }
        }
    }

    private let dataVersion = DataVersion()

    private static func walSize(_ path: String) -> Int {
        var status = stat()
        guard unsafe stat(path + "-wal", &status) == 0 else { return 0 }
        return Int(status.st_size)
    }
}

extension SQLiteLedger: LedgerStore {}
