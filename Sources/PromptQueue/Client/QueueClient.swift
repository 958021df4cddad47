/// The queue as a command uses it, for a short while, beside a daemon that may be at work.
///
/// All calls block the caller until the store answers.
package protocol QueueClient: QueueReader, QueueProducer, QueueOperator, QueuePruner, ScheduleClient {
    /// A number that changes when somebody else commits.
    func dataVersion() throws(LedgerError) -> Int64

    /// Runs `body`, which reads and changes this queue, in one transaction that nobody else writes in between: what it reads
    /// still holds when it changes something, and whatever it throws undoes all that it did. A store that keeps nobody waiting
    /// for it undoes it with `busy` where somebody else has changed the same meanwhile.
    ///
    /// - Parameter dryRun: whether all that `body` did is undone in any case.
    func transaction<T>(dryRun: Bool, _ body: () throws -> T) throws -> T

    /// The process of the daemon that works on this queue; nil if none does. Of several the one that came first; it may be of
    /// another machine.
    var daemonProcessID: Int32? { get }

    /// Whatever was done is committed; the last to close leaves the store tidy.
    func close() throws(LedgerError)
}

/// What is shown of a queue.
package protocol QueueReader: Sendable {
    /// At most `limit`, each given to `body` as it is read.
    func forEachJob(
        matching filter: JobFilter,
        order: JobOrder,
        limit: Int,
        _ body: (JobRecord) throws -> Void
    ) throws(LedgerError)

    /// With their results, the oldest first: at most `limit` that come after a job.
    func jobs(matching filter: JobFilter, after: JobID?, limit: Int) throws(LedgerError) -> [ExportedJob]

    /// The job that an input takes a result from; `nil` if there is none.
    func source(of reference: InputReference) throws(LedgerError) -> SourceRecord?

    /// The jobs that match, the oldest first, at most `limit`.
    func ids(matching filter: JobFilter, limit: Int) throws(LedgerError) -> [JobID]

    /// `nil` if there is no such job.
    func details(of id: JobID) throws(LedgerError) -> JobDetails?

    /// What `status` shows, fast however many jobs there are: of the backlog no more than `sample` jobs are looked at.
    func status(sample: Int) throws(LedgerError) -> StatusRecord

    func queues() throws(LedgerError) -> [QueueRecord]

    /// Whether there is a job of the batch.
    func hasBatch(_ name: String) throws(LedgerError) -> Bool

    /// The names of batches, at most `limit`, in their order.
    func batches(limit: Int) throws(LedgerError) -> [String]

    func budgets() throws(LedgerError) -> [BudgetRecord]

    /// Nil before there is a reading of the account's balance that can be compared.
    func account(_ name: AccountName) throws(LedgerError) -> AccountRecord?

    /// The standard account first, the others by name.
    func accounts() throws(LedgerError) -> [AccountStatus]

    /// The built-in models, and over them what the provider said last.
    func catalogue() throws(LedgerError) -> Catalogue

    /// What the provider said of its models last, by name.
    func providerModels() throws(LedgerError) -> [ProviderModel]

    /// The prices that hold.
    func priceBook() throws(LedgerError) -> PriceBook

    /// What tasks of each model were charged, the latest ones.
    func charges() throws(LedgerError) -> [String: [ObservedCharge]]

    /// Counts by state.
    func tally(of group: JobGroup) throws(LedgerError) -> JobTally

    /// What a group was charged so far.
    func charged(to group: JobGroup) throws(LedgerError) -> Credits

    /// How many jobs of a group failed, by the code of their error.
    func failures(of group: JobGroup) throws(LedgerError) -> [String: Int]

    /// What the jobs of a group that have not ended are expected to cost, and how many of them have no estimate yet.
    func outstanding(of group: JobGroup) throws(LedgerError) -> (estimated: Credits, unpriced: Int)

    /// Why nothing is submitted of the queues in which the group has jobs waiting, and what promptd says of it.
    func holds(of group: JobGroup) throws(LedgerError) -> [(queue: String, reason: BlockReason, message: String?)]

    /// Those of `ids` that are not there.
    func missing(_ ids: [JobID]) throws(LedgerError) -> [JobID]

    /// In their order, at most as many as the query says.
    func events(_ query: EventQuery) throws(LedgerError) -> [JobEvent]

    /// Which events there are.
    func eventRange() throws(LedgerError) -> EventRange

    /// The newest first, at most `limit`.
    func hookDeliveries(_ states: Set<HookDelivery.State>, limit: Int) throws(LedgerError) -> [HookDelivery]
}

/// What a producer may do.
package protocol QueueProducer: Sendable {
    /// Inserts all of `jobs` or none of them.
    ///
    /// - Throws: `LedgerError` with code `constraint` when a unique key is taken: the message names its job.
    func add(_ jobs: [NewJob], now: Instant) throws(LedgerError) -> [JobID]

    /// Runs `body` in one transaction; whatever it throws undoes all that it inserted.
    func insertAll<T>(now: Instant, skipsDuplicates: Bool, _ body: (any JobInserter) throws -> T) throws -> T

    /// Runs `body` with a way to find keys that are taken. Nothing is written to the queue, and nobody is kept waiting.
    func checkingKeys<T>(_ body: (any KeyChecker) throws -> T) throws -> T

    /// Changes the jobs that can be changed; the others are named with the reason.
    ///
    /// - Parameter dryRun: whether nothing is changed, and only said what would be.
    func apply(_ change: JobChange, to ids: [JobID], dryRun: Bool) throws(LedgerError) -> ChangeOutcome

    /// Changes all that match and can be changed.
    func apply(_ change: JobChange, matching filter: JobFilter, dryRun: Bool) throws(LedgerError) -> ChangeOutcome
}

/// Inserts jobs inside the transaction of `insertAll`.
package protocol JobInserter {
    /// Several at once, in their order: a store on another machine is not asked for each by itself.
    ///
    /// - Returns: of each whether it was inserted; not if it was a duplicate that was skipped.
    /// - Throws: `InsertionFailure` with the first that cannot be inserted. Nothing can be inserted after that.
    func insert(_ jobs: [NewJob]) throws(InsertionFailure) -> [Bool]
}

/// Which of several jobs could not be inserted, and why.
package struct InsertionFailure: Error, Sendable {
    /// Its place among them, from 0.
    package let place: Int
    package let error: LedgerError

    package init(place: Int, _ error: LedgerError) {
        self.place = place
        self.error = error
    }
}

extension JobInserter {
    /// - Returns: false for a duplicate that was skipped.
    @discardableResult
    package func insert(_ job: NewJob) throws(LedgerError) -> Bool {
        do throws(InsertionFailure) { return try insert([job]).first ?? false } catch { throw error.error }
    }
}

/// Finds unique keys that are taken, in the queue or by an earlier line of the same file.
package protocol KeyChecker {
    /// Says what will be asked about next: a store on another machine is asked once for all of it. Nothing has to be said.
    func prepare(_ jobs: [NewJob]) throws(LedgerError)

    /// Notes the key of a line.
    ///
    /// - Returns: who has it already, `job 12 (succeeded)` or `line 7`; `nil` if it is free.
    func claim(_ key: String, line: Int) throws(LedgerError) -> String?

    /// The job that a line takes a result from, if it is in the queue already.
    ///
    /// - Returns: why it cannot; `nil` if it can, from a job of the queue or from an earlier line with that key.
    func problem(with reference: InputReference) throws(LedgerError) -> String?
}

extension KeyChecker {
    package func prepare(_ jobs: [NewJob]) throws(LedgerError) {}
}

/// What an operator sets, settles and looks after.
package protocol QueueOperator: Sendable {
    /// Settles an unconfirmed job.
    ///
    /// - Throws: `LedgerError` with code `constraint` when the job is not unconfirmed, or the task is another job's.
    func resolve(
        _ job: JobID,
        _ resolution: Resolution,
        now: Instant,
        dryRun: Bool
    ) throws(LedgerError) -> ChangeOutcome

    /// Settles those of `jobs` that can be settled so; the others stay as they are and are named with the reason.
    func resolve(
        _ jobs: [JobID],
        _ resolution: Resolution,
        now: Instant,
        dryRun: Bool
    ) throws(LedgerError) -> ChangeOutcome

    /// The unconfirmed jobs that match, the oldest first.
    func unconfirmed(matching filter: JobFilter) throws(LedgerError) -> [JobID]

    func setPaused(_ paused: Bool, queue: String) throws(LedgerError)

    /// - Parameter limit: nil: none of the queue's own.
    func setMaxRunning(_ limit: Int?, queue: String) throws(LedgerError)

    /// Sets under which account a queue's jobs are sent; `nil`: the standard one. What was sent stays where it is.
    func setAccount(_ account: AccountName?, queue: String) throws(LedgerError)

    /// Makes a budget, or replaces the one of that name. What was spent before in its present period counts, too.
    func setBudget(_ name: String, scope: BudgetScope, period: BudgetPeriod, limit: Credits) throws(LedgerError)

    /// - Returns: false if there was none of that name.
    func removeBudget(_ name: String) throws(LedgerError) -> Bool

    func setPrice(_ price: PriceOverride) throws(LedgerError)

    /// - Returns: false if there was none for the model under these conditions.
    func removePrice(model: String, conditions: JSONObject) throws(LedgerError) -> Bool

    /// Keeps what the provider says of its models, beside what is kept of others.
    func keep(_ models: [ProviderModel]) throws(LedgerError)

    /// Goes back to what was built in, for a model or for all.
    ///
    /// - Returns: of how many models something was kept.
    func removeProviderModels(named model: String?) throws(LedgerError) -> Int

    /// - Parameter full: whether everything is read for damages, which takes long if there is much.
    func health(full: Bool) throws(LedgerError) -> FileHealth

    /// The kept sums and counts that are wrong: somebody has written to them. Reads every job and every attempt.
    func sumFaults() throws(LedgerError) -> [SumFault]

    /// Writes what the rows add up to into the kept sums and counts, in one transaction.
    ///
    /// - Returns: what was wrong.
    func rebuildSums() throws(LedgerError) -> [SumFault]

    /// Writes a compact copy, of one instant, into a new file, and checks it; the queue is read meanwhile, not locked.
    /// Whoever may read the queue may read the copy, and nobody else.
    func copy(to path: String) throws(LedgerError)

    /// The copy that is held, because it may not know all that was paid for; nil: none is.
    func restoredCopy() throws(LedgerError) -> RestoredCopy?

    /// Whether this is a copy that promptd has not been started on yet.
    func isUnnoticedCopy() throws(LedgerError) -> Bool

    /// The database's own name, which its media directory bears.
    func databaseID() throws(LedgerError) -> String

    /// Of the jobs that a held copy brought along, those that would be submitted once it is released.
    func jobsToSend(of copy: RestoredCopy) throws(LedgerError) -> [JobID]

    /// Lets a copy submit.
    func release() throws(LedgerError)

    /// Has deliveries made once more, from now on.
    ///
    /// - Parameter ids: nil: all that are dead.
    /// - Returns: how many.
    func retryHooks(_ ids: [HookDeliveryID]?, now: Instant) throws(LedgerError) -> Int

    /// Makes a delivery to try a hook out.
    func testHook(_ name: String, now: Instant) throws(LedgerError) -> HookDeliveryID
}

extension QueueProducer {
    @discardableResult
    package func apply(_ change: JobChange, to ids: [JobID]) throws(LedgerError) -> ChangeOutcome {
        try apply(change, to: ids, dryRun: false)
    }

    @discardableResult
    package func apply(_ change: JobChange, matching filter: JobFilter) throws(LedgerError) -> ChangeOutcome {
        try apply(change, matching: filter, dryRun: false)
    }
}

extension QueueOperator {
    @discardableResult
    package func resolve(_ job: JobID, _ resolution: Resolution, now: Instant) throws(LedgerError) -> ChangeOutcome {
        try resolve(job, resolution, now: now, dryRun: false)
    }

    @discardableResult
    package func resolve(_ jobs: [JobID], _ resolution: Resolution, now: Instant) throws(LedgerError) -> ChangeOutcome {
        try resolve(jobs, resolution, now: now, dryRun: false)
    }
}

extension QueueReader {
    /// Newest first.
    package func forEachJob(
        matching filter: JobFilter,
        limit: Int,
        _ body: (JobRecord) throws -> Void
    ) throws(LedgerError) {
        try forEachJob(matching: filter, order: .newest, limit: limit, body)
    }

    /// As `status(sample:)` with a sample that tells enough.
    package func status() throws(LedgerError) -> StatusRecord { try status(sample: 10_000) }
}
