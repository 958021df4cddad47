import GRDB
import PromptQueue
import Synchronization

/// Carries the changes that are ready together in one transaction, each in a savepoint, and releases whoever waits after
/// the COMMIT. One sync of the disk then serves many jobs.
///
/// Changes are committed in the order in which they came, by a task of this object's own: the cancellation of a caller
/// never interrupts a transaction, so no outcome is lost by it.
final class GroupCommit: Sendable {
    /// One change that waits.
    private struct Entry: Sendable {
        /// Runs the change; returns what is to be called once the fate of the transaction is known.
        var run: @Sendable (Database) throws -> @Sendable (LedgerError?) -> Void
        var fail: @Sendable (LedgerError) -> Void
        /// Whether it only finds out if something can be written.
        var isProbe = false
        /// A change that may be carried out with others like it, and what takes its result instead of `run`'s.
        var like: (change: GroupedChange, finish: @Sendable (CommitResult) -> @Sendable (LedgerError?) -> Void)?
    }

    private struct State {
        var waiting: [Entry] = []
        var isCommitting = false
        /// Whether the last transaction was a large one, and ended just now.
        var wasLarge = false
        var transactions = 0
        /// How the last batch ended, and when.
        var last: (isGood: Bool, at: ContinuousClock.Instant)?
        /// Whether the last write that was no probe failed for lack of room, or otherwise for the whole database.
        var hasFailed = false
        /// Since when a batch is being committed.
        var since: ContinuousClock.Instant?
    }

    /// From how many changes on a transaction is a large one.
    private static let large = 8
    /// So many changes need no others.
    private static let enough = 256
    /// How long others are waited for.
    private static let pause: Duration = .milliseconds(8)

    private let pool: DatabasePool
    private let maximum: Int
    private let leastGroup: Int
    private let lateArrival: Duration
    private let onCommit: @Sendable (Duration) -> Void
    private let afterCommit: @Sendable (Database) throws -> Void
    private let wait: @Sendable (Duration) async -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - maximum: how many changes one transaction carries at most; 1 turns grouping off.
    ///   - leastGroup: how many changes that are alike are carried out by the same statements, at least.
    ///   - lateArrival: for how long a request whose answer was lost keeps its slot.
    ///   - onCommit: told how long each transaction took.
    ///   - wait: lets time pass.
    ///   - afterCommit: runs on the writer after each transaction, outside it.
    init(
        _ pool: DatabasePool,
        maximum: Int,
        leastGroup: Int = 2,
        lateArrival: Duration = LateArrival.longest,
        onCommit: @escaping @Sendable (Duration) -> Void = { _ in },
        wait: @escaping @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) },
        afterCommit: @escaping @Sendable (Database) throws -> Void
    ) {
        self.onCommit = onCommit
        self.pool = pool
        self.maximum = maximum
        self.leastGroup = leastGroup
        self.lateArrival = lateArrival
        self.wait = wait
        self.afterCommit = afterCommit
    }

    /// How many transactions have been committed.
    var transactions: Int { state.withLock { $0.transactions } }

    /// Whether the last write succeeded; nil if that was longer ago than `recent`. False while one has been waiting for
    /// longer than that, for a lock or for the disk, and after one that failed until another succeeds.
    func isWriting(within recent: Duration) -> Bool? {
        let now = ContinuousClock.now
        return state.withLock { state in
            if let since = state.since, now - since > recent { return false }
            if state.hasFailed { return false }
            guard let last = state.last, now - last.at <= recent else { return nil }
            return last.isGood
        }
    }

    /// Returns after `change` is committed and synced.
    func commit<T: Sendable>(_ change: @escaping @Sendable (Database) throws -> T) async throws(LedgerError) -> T {
        let result = await withCheckedContinuation { continuation in
            commit(change) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Calls `done`, once, after `change` is committed and synced, or has failed. `done` runs on the writer and must be
    /// short.
    ///
    /// - Parameter isProbe: whether it only finds out if something can be written, and proves nothing of larger writes.
    func commit<T: Sendable>(
        _ change: @escaping @Sendable (Database) throws -> T,
        isProbe: Bool = false,
        done: @escaping @Sendable (Result<T, LedgerError>) -> Void
    ) {
        add(
            Entry(
                run: { db in
                    let value = try change(db)
                    return { error in done(error.map { .failure($0) } ?? .success(value)) }
                },
                fail: { done(.failure($0)) },
                isProbe: isProbe
            )
        )
    }

    /// The same for what happened to an attempt, which `RecordGroup` may carry out together with its neighbours.
    func commit(
        _ change: GroupedChange,
        done: @escaping @Sendable (Result<CommitResult, LedgerError>) -> Void
    ) {
        let finish: @Sendable (CommitResult) -> @Sendable (LedgerError?) -> Void = { result in
            { error in done(error.map { .failure($0) } ?? .success(result)) }
        }
        add(
            Entry(
                run: { [lateArrival] db in finish(try change.work(db, lateArrival: lateArrival).carryOut(change.change))
                },
                fail: { done(.failure($0)) },
                like: change.hasLike ? (change, finish) : nil
            )
        )
    }

    private func add(_ entry: Entry) {
        let starts = state.withLock { state in
            state.waiting.append(entry)
            defer { state.isCommitting = true }
            return !state.isCommitting
        }
        if starts {
            Task { await drain() }
        }
    }

    private func drain() async {
        while true {
            await gather()
            guard let batch = nextBatch() else { return }
            let before = transactions
            do {
                try await pool.writeWithoutTransaction { [self] db in
                    let start = ContinuousClock.now
                    commit(batch, db)
                    onCommit(ContinuousClock.now - start)
                    noteEnd(isGood: transactions > before, isProbe: batch.allSatisfy(\.isProbe))
                    try afterCommit(db)
                }
            } catch {
                // The batch has been answered; only what follows a commit can fail here, and it is tried after the next.
                continue
            }
        }
    }

    /// Waits for more changes that are alike, if there were many a moment ago: the more of them share a transaction, the less each
    /// costs. What comes one by one is never kept waiting.
    private func gather() async {
        let isWorthIt = state.withLock { state in
            state.wasLarge && !state.waiting.isEmpty && state.waiting.count < Self.enough
                && state.waiting.allSatisfy { $0.like != nil }
        }
        if isWorthIt { await wait(Self.pause) }
    }

    private func noteEnd(isGood: Bool, isProbe: Bool) {
        state.withLock { state in
            state.last = (isGood, .now)
            if !isProbe { state.hasFailed = !isGood }
            state.since = nil
        }
    }

    private func nextBatch() -> [Entry]? {
        state.withLock { state in
            state.since = state.waiting.isEmpty ? nil : .now
            guard !state.waiting.isEmpty else {
                state.wasLarge = false
                state.isCommitting = false
                return nil
            }
            var batch: [Entry] = []
            swap(&batch, &state.waiting)
            if batch.count > maximum {
                state.waiting = Array(batch.suffix(from: maximum))
                batch.removeLast(batch.count - maximum)
            }
            state.wasLarge = batch.count >= Self.large
            return batch
        }
    }

    /// Answers every entry exactly once.
    private func commit(_ batch: [Entry], _ db: Database) {
        // Nearly always nothing fails, and no savepoint is needed. Otherwise everything is undone and done again, with one
        // around each change, so that only what fails is left out.
        do {
            try db.beginTransaction(.immediate)
            if try together(batch, db) { return }
            try db.beginTransaction(.immediate)
        } catch {
            // Nothing was begun, or nothing can be undone: trying one by one is useless.
            for entry in batch { entry.fail(LedgerError(error, at: pool.path)) }
            return
        }
        apart(batch, db)
    }

    /// Carries out and commits the changes as one; false, with everything undone and nobody answered, when one of them
    /// fails.
    private func together(_ batch: [Entry], _ db: Database) throws -> Bool {
        var done: [@Sendable (LedgerError?) -> Void] = []
        do {
            var rest = batch[...]
            while let entry = rest.first {
                let group = rest.prefix { $0.like != nil }
                if group.count >= leastGroup {
                    let changes = group.compactMap(\.like)
                    let results = try RecordGroup.carryOut(changes.map(\.change), lateArrival: lateArrival, db)
                    for (change, result) in zip(changes, results) { done.append(change.finish(result)) }
                    rest.removeFirst(group.count)
                } else {
                    done.append(try entry.run(db))
                    rest.removeFirst()
                }
            }
            try db.commit()
        } catch {
            if db.isInsideTransaction { try db.rollback() }
            return false
        }
        state.withLock { $0.transactions += 1 }
        for finish in done { finish(nil) }
        return true
    }

    /// Carries out the changes, each in a savepoint of its own, and commits those that succeed.
    private func apart(_ batch: [Entry], _ db: Database) {
        var done: [@Sendable (LedgerError?) -> Void] = []
        var failed: [(Entry, LedgerError)] = []
        var fatal: LedgerError?
        do {
            for entry in batch {
                do {
                    try db.inSavepoint {
                        done.append(try entry.run(db))
                        return .commit
                    }
                } catch {
                    // A full disk or a failing one rolls the whole transaction back, not the savepoint alone
                    // (https://sqlite.org/lang_transaction.html, section 3).
                    guard db.isInsideTransaction else { throw error }
                    failed.append((entry, LedgerError(error, at: pool.path)))
                }
            }
            try db.commit()
        } catch {
            fatal = LedgerError(error, at: pool.path)
            if db.isInsideTransaction {
                do { try db.rollback() } catch { fatal = LedgerError(error, at: pool.path) }
            }
        }
        if let fatal {
            let answered = done.count + failed.count
            for finish in done { finish(fatal) }
            for (entry, _) in failed { entry.fail(fatal) }
            for entry in batch.dropFirst(answered) { entry.fail(fatal) }
        } else {
            state.withLock { $0.transactions += 1 }
            for finish in done { finish(nil) }
            for (entry, error) in failed { entry.fail(error) }
        }
    }
}
