package import Postgres
package import PromptQueue
import Synchronization

/// The ledger in PostgreSQL, which several daemons may work with at once.
///
/// A daemon has an epoch from the moment it opens the ledger. What it may do is fenced by that: a claim of an epoch that has ended, or
/// whose lease is over, takes nothing. What it knows is taken from it all the same.
package final class PostgresLedger: Sendable {
    package struct Options: Sendable {
        /// How many changes share one transaction at most.
        package var changesPerCommit = 256
        /// For how long a request whose answer was lost keeps its slot of the rate window.
        package var lateArrival = LateArrival.longest
        /// For how long a daemon may claim and send after a heartbeat.
        package var lease: Duration = .seconds(30)
        /// How long after the end of its lease a daemon's requests may still be on their way to the provider, which is as long as one may
        /// take: only then are they counted as lost, and its tasks given to others.
        package var grace: Duration = .seconds(30)
        /// How often the lease is renewed.
        package var renewal: Duration = .seconds(3)
        /// Whether the lease is renewed, and others are heard of, without being asked for.
        package var isKeptUp = true
        /// This daemon's file for its last claim.
        package var requestMark = ""
        /// How the daemon is called in `daemons`; names need not differ.
        package var name = "promptd"
        package var host: String?
        /// Told how long each transaction of changes took.
        package var onCommit: @Sendable (Duration) -> Void = { _ in }
        /// Told why the lease could not be renewed; it is tried again.
        package var onLeaseTrouble: @Sendable (LedgerError) -> Void = { _ in }
        /// By which the lease goes, and how long an answer took.
        package var clock: @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }

        package init() {}
    }

    struct Standing {
        var rotations: [AccountName: QueueRotation] = [:]
        /// What of the provider's catalogue is known, and as of which change of it.
        var models = KnownModels()
        /// Claims of which it is not known whether they are committed: nothing of them was sent.
        var abandonedClaims: [String] = []
        /// As it was last measured, for instants that come without one of now.
        var clock = ServerClock(server: 0, local: Instant(milliseconds: 0))
    }

    let settings: PostgresSettings
    let options: Options
    let epoch: Epoch
    let lease: Lease
    let claimMarks: ClaimMarks
    let newsStream: AsyncStream<LedgerNews>
    private let newsContinuation: AsyncStream<LedgerNews>.Continuation
    private let keepers = Mutex<[Task<Void, Never>]>([])
    /// The store's own name, which it keeps for ever.
    package let databaseID: String
    let claims: ConnectionSlot
    let reads: ConnectionSlot
    let leases: ConnectionSlot
    let facts: FactCommits
    private let writing: ConnectionSlot
    let standing = Mutex(Standing())

    /// Joins the daemons of a store.
    ///
    /// - Throws: `LedgerError` when there is no server, or no database of promptd's with this version of the schema.
    package init(_ settings: PostgresSettings, options: Options = Options()) async throws(LedgerError) {
        self.options = options
        self.settings = settings
        let lease = Lease(options.lease, now: options.clock)
        self.lease = lease
        (newsStream, newsContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1_000))
        let first = ConnectionSlot(settings) { try await Self.prepare($0, epoch: nil) }
        let connection = try await LedgerError.wrapping { try await first.connection() }
        var found: (epoch: Epoch, id: String)?
        try await lease.renew { () async throws(LedgerError) in
            found = try await LedgerError.wrapping {
                let row = try await connection.query(
                    "SELECT join_daemons($1, $2, NULL, NULL, $3), (SELECT database_id FROM store)",
                    [.text(options.name), .text(options.host), .int(options.lease.milliseconds)]
                ).only()
                return (Epoch(try row[0]), try row[1] as String)
            }
            return true
        }
        await first.close()
        guard let joined = found else { throw LedgerError(.other, "the daemons of the store could not be joined") }
        epoch = joined.epoch
        let marks = ClaimMarks(joined.epoch)
        claimMarks = marks
        databaseID = joined.id
        func slot(_ settings: PostgresSettings) -> ConnectionSlot {
            ConnectionSlot(settings) { try await Self.prepare($0, epoch: joined.epoch) }
        }
        // Another server may have taken the place of the one that knew of the last claim. A claim must not be made there before that is
        // found out; and other daemons are waiting for a window's time, for this one to say so.
        func checking(_ settings: PostgresSettings) -> ConnectionSlot {
            ConnectionSlot(settings) {
                try await Self.prepare($0, epoch: joined.epoch)
                guard let last = marks.last else { return }
                _ = try await $0.pipeline { Self.check(last, &$0) }
            }
        }
        // Plans are kept, and a table that was empty when the server last looked at it would be read whole for each change.
        var keyed = settings
        keyed.parameters["enable_seqscan"] = "off"
        claims = checking(keyed)
        // A lease that hangs on a dead connection is not renewed on a new one.
        var brisk = settings
        brisk.limits.connect = .seconds(3)
        brisk.limits.silence = .seconds(8)
        leases = checking(brisk)
        reads = slot(settings)
        writing = slot(keyed)
        facts = FactCommits(writing, maximum: options.changesPerCommit, onCommit: options.onCommit)
    }

    /// Names without a schema are promptd's, and the daemon's own writes wake nobody.
    private static func prepare(_ connection: PostgresConnection, epoch: Epoch?) async throws {
        _ = try await connection.query(
            "SELECT set_config('search_path', 'promptd', false), set_config('promptd.daemon', $1, false)",
            [.text(epoch.map { "\($0.rawValue)" } ?? "")]
        )
    }

    /// A transaction that changes something other than facts.
    func change<Value: Sendable>(
        _ body: @escaping (PostgresTransaction) async throws -> Value
    ) async throws(LedgerError) -> Value {
        try await LedgerError.wrapping { try await self.writing.connection().transaction { try await body($0) } }
    }

    /// One statement that changes something other than facts, in a transaction of its own.
    func carryOut(_ sql: SQL, _ parameters: [PostgresValue] = []) async throws(LedgerError) {
        try await change { _ = try await $0.query(sql, parameters) }
    }

    func read(_ sql: SQL, _ parameters: [PostgresValue] = []) async throws(LedgerError) -> PostgresRows {
        try await LedgerError.wrapping { try await self.reads.connection().query(sql, parameters) }
    }

    func tellNews(_ news: LedgerNews) { newsContinuation.yield(news) }

    /// Keeps the lease, and hears of others, from now on.
    func keepUp() {
        let tasks = [Task { await self.keepLease() }, Task { await self.listen() }]
        keepers.withLock { $0 += tasks }
    }

    /// Ends the connections. What is under way fails.
    package func disconnect() async {
        let tasks = keepers.withLock { keepers in
            defer { keepers = [] }
            return keepers
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        newsContinuation.finish()
        for slot in [claims, reads, leases, writing] { await slot.close() }
    }
}
