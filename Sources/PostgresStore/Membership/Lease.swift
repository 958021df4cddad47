import PromptQueue
import Synchronization

/// For how long this daemon may still claim and send, by its own clock, which counts the time for which the machine slept, too.
///
/// The server ends the epoch of a daemon that says nothing: its requests are counted as lost, and its tasks given to others. Its lease
/// here began before it asked for it there, so it is over here before it is over there.
final class Lease: Sendable {
    private struct State {
        var ends: ContinuousClock.Instant?
        var isFenced = false
    }

    private let duration: Duration
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    init(_ duration: Duration, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.duration = duration
        self.now = now
    }

    /// Whether a request may be sent now.
    var isHeld: Bool { state.withLock { !$0.isFenced && $0.ends.map { now() < $0 } ?? false } }

    /// Whether the epoch has ended: this daemon can only join again.
    var isFenced: Bool { state.withLock(\.isFenced) }

    func fence() { state.withLock { $0.isFenced = true } }

    /// Asks for the lease.
    ///
    /// - Parameter ask: false if the epoch has ended.
    func renew<Failure: Error>(_ ask: () async throws(Failure) -> Bool) async throws(Failure) {
        let start = now()
        let isRenewed = try await ask()
        state.withLock { state in
            if isRenewed { state.ends = start + duration } else { state.isFenced = true }
        }
    }
}
