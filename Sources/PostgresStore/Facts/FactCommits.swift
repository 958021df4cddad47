import Postgres
import PromptQueue
import Synchronization

/// Records changes: those that come while a transaction is under way share the next one, in one pipeline.
///
/// They are idempotent: of a transaction whose answer was lost, all are recorded once more.
final class FactCommits: Sendable {
    struct Entry: Sendable {
        let call: FactCall
        let done: @Sendable (Result<CommitResult, LedgerError>) -> Void
    }

    private struct State {
        var waiting: [Entry] = []
        var isCommitting = false
        var transactions = 0
    }

    private let slot: ConnectionSlot
    private let maximum: Int
    private let onCommit: @Sendable (Duration) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - maximum: how many changes one transaction carries at most.
    ///   - onCommit: told how long each transaction took.
    init(_ slot: ConnectionSlot, maximum: Int, onCommit: @escaping @Sendable (Duration) -> Void) {
        self.slot = slot
        self.maximum = maximum
        self.onCommit = onCommit
    }

    /// How many transactions have been committed.
    var transactions: Int { state.withLock { $0.transactions } }

    /// Calls `done`, once, after the change is committed, or has failed. `done` must be short.
    func record(_ call: FactCall, done: @escaping @Sendable (Result<CommitResult, LedgerError>) -> Void) {
        let starts = state.withLock { state in
            state.waiting.append(Entry(call: call, done: done))
            defer { state.isCommitting = true }
            return !state.isCommitting
        }
        // A task of its own: whoever hands a change over may be cancelled, and it is recorded all the same.
        if starts { Task.detached { await self.drain() } }
    }

    private func drain() async {
        while let batch = nextBatch() {
            let start = ContinuousClock.now
            await commit(batch)
            onCommit(ContinuousClock.now - start)
        }
    }

    private func nextBatch() -> [Entry]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isCommitting = false
                return nil
            }
            let batch = Array(state.waiting.prefix(maximum))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }

    /// Answers every entry exactly once.
    private func commit(_ batch: [Entry]) async {
        let connection: PostgresConnection
        do {
            connection = try await slot.connection()
        } catch {
            for entry in batch { entry.done(.failure(LedgerError(error))) }
            return
        }
        do {
            let found = try await connection.pipeline { pipeline in
                for entry in batch { pipeline.add(entry.call.sql, entry.call.arguments) }
            }
            state.withLock { $0.transactions += 1 }
            for (entry, rows) in zip(batch, found) { entry.done(Self.read(rows, entry.call)) }
        } catch let error as PostgresError where error.code == .refused && batch.count > 1 {
            // One of them is refused, and all are undone: each by itself, so that only that one is left out.
            for entry in batch { await commit(entry, on: connection) }
        } catch {
            for entry in batch { entry.done(.failure(LedgerError(error))) }
        }
    }

    private func commit(_ entry: Entry, on connection: PostgresConnection) async {
        do {
            let rows = try await connection.query(entry.call.sql, entry.call.arguments)
            state.withLock { $0.transactions += 1 }
            entry.done(Self.read(rows, entry.call))
        } catch {
            entry.done(.failure(LedgerError(error)))
        }
    }

    private static func read(_ rows: PostgresRows, _ call: FactCall) -> Result<CommitResult, LedgerError> {
        do {
            return .success(call.read(try RecordedFact(try rows.only()[0])))
        } catch {
            return .failure(LedgerError(error))
        }
    }
}
