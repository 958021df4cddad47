import PromptQueue
import Synchronization

/// What the runner's loop waits for.
enum RunnerEvent: Sendable {
    case engine(EngineEvent)
    /// Somebody wants to know whether events are still being handled.
    case asked(@Sendable () -> Void)
    /// A change could not be committed yet.
    case unrecorded(LedgerChange, at: Instant, LedgerError)
    /// A rule of the ledger refuses a change.
    case refused(LedgerChange, LedgerError)
    /// The time for an orderly end is over: what is still under way is cut off.
    case graceOver
    /// A change can never be committed; nil for a claim.
    case failed(LedgerError, LedgerChange?)
}

/// The events on their way to the engine, in order. Many may send; one takes.
///
/// All that wait are taken at once: there are several for each job.
final class EventQueue: Sendable {
    private struct State {
        var waiting: [RunnerEvent] = []
        var taker: CheckedContinuation<Void, Never>?
        var isCancelled = false
    }

    private let state = Mutex(State())

    func send(_ event: EngineEvent) {
        send(.engine(event))
    }

    func send(_ event: RunnerEvent) {
        let taker = state.withLock { state in
            state.waiting.append(event)
            return state.taker.take()
        }
        taker?.resume()
    }

    /// Waits until there are some.
    ///
    /// - Returns: none when the task was cancelled and all that came before have been taken.
    func next() async -> [RunnerEvent] {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    guard state.waiting.isEmpty, !state.isCancelled else { return true }
                    state.taker = continuation
                    return false
                }
                if isThere { continuation.resume() }
            }
        } onCancel: {
            let taker = state.withLock { state in
                state.isCancelled = true
                return state.taker.take()
            }
            taker?.resume()
        }
        return state.withLock { state in
            var events: [RunnerEvent] = []
            swap(&events, &state.waiting)
            return events
        }
    }
}
