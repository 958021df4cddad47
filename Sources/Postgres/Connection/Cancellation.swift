import Glibc
import Synchronization

/// Whether an operation's task was cancelled, and the request to the server that this causes.
///
/// A request that comes late would end the next statement of the session: so the session is not given to the next before the request
/// has been taken.
final class Cancellation: Sendable {
    private enum State {
        case running, over
        /// A request is being made.
        case asking
        case awaited(CheckedContinuation<Void, Never>)
        /// One was made, and the next is not yet.
        case pausing
    }

    /// Between two requests: the first can come before the statement, which then knows nothing of it.
    private static let pause: UInt32 = 50_000

    private let session: PostgresSession
    private let state = Mutex(State.running)
    private let wasRequested = Mutex(false)

    init(_ session: PostgresSession) { self.session = session }

    var isRequested: Bool { wasRequested.withLock { $0 } }

    /// Asks the server to end the statement, again and again until it has. It is sent from a thread of its own, because libpq waits for
    /// it.
    func request() {
        let isFirst = state.withLock { state in
            guard case .running = state else { return false }
            state = .pausing
            wasRequested.withLock { $0 = true }
            return true
        }
        guard isFirst else { return }
        Task { [session] in await session.cancellationBegan() }
        guard let key = session.cancelKey else { return }
        // Without a thread the operation ends by itself, or with the session.
        _ = OwnThread.start {
            while self.beginAsking() {
                key.use()
                guard self.endAsking() else { return }
                usleep(Self.pause)
            }
        }
    }

    /// The operation has ended: no request is made any more, and one that is under way is waited for.
    func settle() async {
        await withCheckedContinuation { continuation in
            let isSettled = state.withLock { state in
                guard case .asking = state else {
                    state = .over
                    return true
                }
                state = .awaited(continuation)
                return false
            }
            if isSettled { continuation.resume() }
        }
    }

    private func beginAsking() -> Bool {
        state.withLock { state in
            guard case .pausing = state else { return false }
            state = .asking
            return true
        }
    }

    /// - Returns: whether the operation goes on.
    private func endAsking() -> Bool {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard case .awaited(let continuation) = state else {
                state = .pausing
                return nil
            }
            state = .over
            return continuation
        }
        waiting?.resume()
        return waiting == nil
    }
}
