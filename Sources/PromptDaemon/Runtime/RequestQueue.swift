import DequeModule
import PromptQueue
import Synchronization

/// A call to the provider of which there are many.
enum ProviderRequest: Sendable {
    case submit(ClaimedJob)
    case poll(OpenTask)
}

/// What is to be asked of the provider, in order, and how many workers do so.
///
/// The provider's client has as many connections. What waited for one of them inside it would take timers of its own, and would have
/// been found fit to be sent long before it is.
final class RequestQueue: Sendable {
    /// How many requests are under way at once: a few fewer than the client has connections, so that the balance, and where a result can be
    /// fetched, are asked for without waiting behind them.
    static let atOnce = 60
    /// For how long one waits for its turn, as it would for a connection.
    static let patience: Duration = .seconds(10)
    static let stopped = "promptd was stopped before it was sent"

    private struct Waiting {
        var request: ProviderRequest
        var since: Duration
        /// Why it is not sent when its turn comes.
        var refusal: String?

        var isSubmission: Bool { if case .submit = request { true } else { false } }
    }

    private struct State {
        var waiting: Deque<Waiting> = []
        var workers = 0
        var isDraining = false
    }

    private let state = Mutex(State())

    /// No request for a task is sent any more.
    func drain() {
        state.withLock { $0.isDraining = true }
    }

    /// No request for a task that waits now is sent.
    func refuseWaiting(_ reason: String) {
        state.withLock { state in
            for index in state.waiting.indices where state.waiting[index].isSubmission {
                state.waiting[index].refusal = state.waiting[index].refusal ?? reason
            }
        }
    }

    /// - Parameter uptime: since when it waits.
    /// - Returns: whether another worker is wanted, which takes requests until there is none.
    func add(_ request: ProviderRequest, at uptime: Duration) -> Bool {
        state.withLock { state in
            state.waiting.append(Waiting(request: request, since: uptime))
            guard state.workers < Self.atOnce else { return false }
            state.workers += 1
            return true
        }
    }

    /// The next request, and why it must not be sent, if so; nil if there is none: the worker ends.
    func next(at uptime: Duration) -> (request: ProviderRequest, refusal: String?)? {
        state.withLock { state in
            guard let next = state.waiting.popFirst() else {
                state.workers -= 1
                return nil
            }
            if let refusal = next.refusal { return (next.request, refusal) }
            if state.isDraining, next.isSubmission { return (next.request, Self.stopped) }
            let isLate = uptime - next.since > Self.patience
            return (next.request, isLate ? "no connection to the provider was free for \(Self.patience.text)" : nil)
        }
    }
}
