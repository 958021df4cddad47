/// A store that the daemon works on: everything that it asks of its ledger. Another one takes SQLite's place by this protocol,
/// and by whoever opens it.
package protocol LedgerStore: CoreLedger, LedgerUpkeep, StatusSource, HintSource, ProvenanceSource, PriceStore,
    SuspectStore,
    UploadStore, CatalogueStore, ScheduleStore, HookStore, SearchStore
{}

/// What the rules about jobs and money rest on, of all that a daemon asks of its ledger: what every store must do alike.
package protocol CoreLedger: JobLedger, EventStore, PruneStore {
    /// The ledger of another account. As a ledger, the store itself is the standard account's.
    func ledger(of account: AccountName) -> any JobLedger

    /// Notes in `daemon_status` who is at work, and on which accounts.
    func begin(_ identity: DaemonIdentity, now: Instant) async throws(LedgerError)

    /// Notes that the daemon is alive.
    func beat(now: Instant) async throws(LedgerError)

    /// Notes that the daemon has stopped, after everything was recorded.
    func end(now: Instant) async throws(LedgerError)

    /// Accounts under which something is not settled, or results are to be fetched, with how many jobs.
    func accountsUnderWay() async throws(LedgerError) -> [AccountName: Int]

    func close() async throws(LedgerError)
}

// The standard account's, for whoever knows no other.
extension CoreLedger {
    package func recover(now: Instant, rate: RateLimit) async throws(LedgerError) -> Recovery {
        try await ledger(of: .standard).recover(now: now, rate: rate)
    }

    package func claim(
        _ request: ClaimRequest,
        prepare: @escaping @Sendable (QueuedJob) -> Preparation
    ) async throws(LedgerError) -> Claim {
        try await ledger(of: .standard).claim(request, prepare: prepare)
    }

    package func record(
        _ change: LedgerChange,
        now: Instant,
        done: @escaping @Sendable (Result<CommitResult, LedgerError>) -> Void
    ) {
        ledger(of: .standard).record(change, now: now, done: done)
    }

    package func takeResumed(now: Instant) async throws(LedgerError) -> Recovery {
        try await ledger(of: .standard).takeResumed(now: now)
    }
}

/// What keeps a ledger in order, beside its work.
package protocol LedgerUpkeep: Sendable {
    /// The database's own name: its media directory bears it, so that no other database writes there.
    var databaseID: String { get }

    /// The files that are written to when somebody commits, to be watched.
    var watchedFiles: [String] { get }

    /// Where the number of the last request is noted beside the store.
    var requestMark: String { get }

    /// How many transactions this process has committed.
    var transactions: Int { get }

    /// Why this daemon must stop; nil while all is well.
    var loss: LedgerLoss? { get }

    /// This daemon's number among those of a store that several work on at once; nil if nobody else can.
    var memberNumber: Int64? { get }

    /// What others do, as it happens; nil if `watchedFiles` tell that. For one reader, once.
    func news() -> AsyncStream<LedgerNews>?

    /// Whether that may take minutes the next time.
    var isMaintenanceLong: Bool { get }

    /// Keeps what grows short. Called every ten seconds, and at the end.
    func maintain() async throws(LedgerError)

    /// Compares what the ledger knows with what was noted outside of it, and from now on notes each request there, too.
    ///
    /// A database that turns out to be an older copy submits nothing until an operator has released it.
    ///
    /// - Parameter marks: files; a copy of the database must not bring them along.
    /// - Returns: what is held, now or since an earlier start; and what is in the way of noting.
    func checkAge(marks: [String], now: Instant) async throws(LedgerError) -> AgeCheck

    /// Requests that are not settled, for a log: those of which the task is known, and those that may have made one.
    func underWay() async throws(LedgerError) -> [(job: JobID, attempt: AttemptID, task: TaskID?)]
}
