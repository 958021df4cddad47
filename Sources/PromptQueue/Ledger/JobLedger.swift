/// The ledger of one account, as its engine sees it: the truth about jobs and money.
///
/// The jobs of an account are those of the queues that name it; its attempts, tasks and results are those that were sent under
/// it, whatever their queue names now. Rate window, places, balance and evidence count its own alone.
///
/// Owned by the domain, so that the engine and the runner know no SQL. Every store must pass the conformance suite in
/// `Tests/LedgerConformance`.
///
/// All writes are durable when they return: committed and synced. Calls may be made concurrently; a store may carry
/// several in one transaction.
package protocol JobLedger: Sendable {
    /// Takes ownership after a start: attempts still `sending` become `unknown`, and what is open is listed. Before anything of
    /// any account is claimed, `LedgerStore.begin` has been called.
    func recover(now: Instant, rate: RateLimit) async throws(LedgerError) -> Recovery

    /// Claims jobs by priority (higher first), each with its attempt, reservation and rate slot. Among equals the queues
    /// take turns, within a queue its batches do, and within a batch jobs go in the order in which they came or became due.
    ///
    /// A job that would pass a budget's limit waits; cheaper ones behind it, and other models and queues, go on.
    ///
    /// `prepare` checks and completes each job before money is reserved; what it refuses fails in the same transaction.
    func claim(
        _ request: ClaimRequest,
        prepare: @escaping @Sendable (QueuedJob) -> Preparation
    ) async throws(LedgerError) -> Claim

    /// Records what happened at `now`, and calls `done` once when that is durable or has failed, whatever becomes of the
    /// caller. `done` must be short.
    ///
    /// Recording the same change twice is harmless: the second time it changes nothing.
    func record(
        _ change: LedgerChange,
        now: Instant,
        done: @escaping @Sendable (Result<CommitResult, LedgerError>) -> Void
    )

    /// Those of `results` that nobody waits for any more: their jobs were cancelled, or are gone.
    func unwanted(_ results: [ResultID]) async throws(LedgerError) -> [ResultID]

    /// Whether a request may be sent now. Where several daemons share a ledger, what one of them claimed and cannot have sent is counted as
    /// lost at some time: it must not be sent after that. Looked at before each request.
    var maySend: Bool { get }

    /// Whether somebody else has committed since the last call.
    func hasForeignChanges() async throws(LedgerError) -> Bool

    /// Hands over, once, the tasks and downloads that producers took up again by setting `queued` on jobs that are
    /// already paid for.
    func takeResumed(now: Instant) async throws(LedgerError) -> Recovery
}

extension JobLedger {
    package var maySend: Bool { true }

    /// Records what happened at `now`, and returns when that is durable.
    package func record(_ change: LedgerChange, now: Instant) async throws(LedgerError) -> CommitResult {
        let result = await withCheckedContinuation { continuation in
            record(change, now: now) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }
}

/// The daemon, as `daemon_status` shows it.
package struct DaemonIdentity: Sendable {
    package var processID: Int32
    package var version: String
    /// The accounts that it works with.
    package var accounts: [AccountLimits]

    package init(processID: Int32, version: String, accounts: [AccountLimits]) {
        self.processID = processID
        self.version = version
        self.accounts = accounts
    }

    /// One that works with the standard account alone.
    package init(
        processID: Int32,
        version: String,
        rate: RateLimit,
        runningLimit: Int,
        rules: AccountRules = AccountRules()
    ) {
        let account = AccountLimits(name: .standard, rate: rate, runningLimit: runningLimit, rules: rules)
        self.init(processID: processID, version: version, accounts: [account])
    }
}

/// What is kept for an account.
package struct AccountLimits: Sendable {
    package var name: AccountName
    package var rate: RateLimit
    package var runningLimit: Int
    package var rules: AccountRules

    package init(name: AccountName, rate: RateLimit, runningLimit: Int, rules: AccountRules) {
        self.name = name
        self.rate = rate
        self.runningLimit = runningLimit
        self.rules = rules
    }
}

/// How a ledger fails.
package struct LedgerError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Locked by another process for too long; the same call may work later.
        case busy
        /// The disk is full.
        case full
        /// Reading or writing failed.
        case inputOutput = "io"
        /// No right to read or write the file.
        case permission
        /// The file is not a database of ours, is damaged, or has a newer schema.
        case unusable
        /// A rule of the schema refused it.
        case constraint
        /// The task that asked was cancelled; nothing was read or written.
        case cancelled
        /// This daemon could not say for too long that it is alive, and has to join the others again.
        case fenced
        case other
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Whether waiting may help.
    package var isTransient: Bool {
        switch code {
        case .busy, .full, .inputOutput: true
        case .permission, .unusable, .constraint, .cancelled, .fenced, .other: false
        }
    }

    package var description: String { message }
}
