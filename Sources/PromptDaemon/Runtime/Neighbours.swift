import PromptQueue
import Synchronization

/// The runners of all accounts, for each to tell the others what it has settled: they share budgets, queues' limits and chains, and
/// what their own process commits is no foreign change to them.
final class Neighbours: Sendable {
    private let runners = Mutex<[AccountName: EventQueue]>([:])

    func join(_ account: AccountName, _ events: EventQueue) { runners.withLock { $0[account] = events } }

    /// - Parameter mayBeDue: whether jobs of the others may have become due; if not, there may be room for some.
    func tell(_ mayBeDue: Bool, by account: AccountName) {
        for (other, events) in runners.withLock({ $0 }) where other != account {
            events.send(.settledElsewhere(mayBeDue: mayBeDue))
        }
    }
}
