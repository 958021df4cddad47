import Synchronization

/// A NOTIFY of the server's.
package struct PostgresNotification: Sendable, Hashable {
    package let channel: String
    package let payload: String
}

/// Notifications that have come and that nobody has taken yet: each once, and so many at most.
final class NotificationInbox: Sendable {
    enum Content: Sendable {
        case notification(PostgresNotification)
        /// More came than are kept.
        case overflow
        case lost(String)
        case cancelled
    }

    private struct State {
        var order: [PostgresNotification] = []
        var present: Set<PostgresNotification> = []
        var hasOverflown = false
        var end: Content?
        var waiting: CheckedContinuation<Content, Never>?
    }

    private let most: Int
    private let state = Mutex(State())

    init(most: Int = 1_000) { self.most = most }

    func add(_ notification: PostgresNotification) {
        hand { state in
            guard !state.hasOverflown, state.present.insert(notification).inserted else { return }
            state.order.append(notification)
            guard state.order.count > most else { return }
            state.order = []
            state.present = []
            state.hasOverflown = true
        }
    }

    func close(_ end: Content) {
        hand { $0.end = $0.end ?? end }
    }

    /// Waits, alone, for the next.
    func next() async -> Content {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                hand { $0.waiting = continuation }
                if Task.isCancelled { interrupt() }
            }
        } onCancel: {
            interrupt()
        }
    }

    private func interrupt() {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: .cancelled)
    }

    /// Changes the state, and gives what is there to whoever waits.
    private func hand(_ change: (inout State) -> Void) {
        let (waiting, content) = state.withLock { state -> (CheckedContinuation<Content, Never>?, Content?) in
            change(&state)
            guard let waiting = state.waiting, let content = Self.take(&state) else { return (nil, nil) }
            state.waiting = nil
            return (waiting, content)
        }
        if let waiting, let content { waiting.resume(returning: content) }
    }

    private static func take(_ state: inout State) -> Content? {
        if state.hasOverflown {
            state.hasOverflown = false
            return .overflow
        }
        if let first = state.order.first {
            state.order.removeFirst()
            state.present.remove(first)
            return .notification(first)
        }
        return state.end
    }
}
