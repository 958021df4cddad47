import Concurrency
import PromptQueue
import ServiceLifecycle
import Synchronization

/// Where runners meet once each has its part of the ledger in order, and before one of them does anything: what is left over of
/// earlier processes is told from what is under way by all of them together.
final class StartGathering: Sendable {
    private struct State {
        var missing: Int
        var recoveries: [Recovery] = []
        var waiting: [Latch] = []
        var isAbandoned = false
    }

    private let state: Mutex<State>
    private let complete: @Sendable ([Recovery]) -> Void

    /// - Parameter complete: called once, with what each has found.
    init(of count: Int, complete: @escaping @Sendable ([Recovery]) -> Void) {
        state = Mutex(State(missing: count))
        self.complete = complete
    }

    /// Nobody waits for the others any more: one has failed.
    func abandon() {
        let waiting = state.withLock { state in
            state.isAbandoned = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for latch in waiting { latch.abandon() }
    }

    /// Returns when all have come, or the daemon is to end before.
    func arrive(_ recovery: Recovery) async {
        let latch = Latch()
        let (found, waiting): ([Recovery]?, [Latch]) = state.withLock { state in
            guard !state.isAbandoned else {
                latch.abandon()
                return (nil, [])
            }
            state.missing -= 1
            state.recoveries.append(recovery)
            guard state.missing > 0 else { return (state.recoveries, state.waiting) }
            state.waiting.append(latch)
            return (nil, [])
        }
        if let found {
            complete(found)
            for latch in waiting { latch.open() }
            return
        }
        await withTaskCancellationOrGracefulShutdownHandler {
            _ = await latch.wait()
        } onCancelOrGracefulShutdown: {
            latch.abandon()
        }
    }
}
