import PromptQueue
import Synchronization

/// The clock by which leases go: true time, as the simulation has it, whatever is set and whoever sleeps.
final class TrueTime: Sendable {
    private let start = ContinuousClock.now
    private let passed = Mutex(Duration.zero)

    var now: ContinuousClock.Instant { start + passed.withLock { $0 } }

    func set(_ instant: Instant) { passed.withLock { $0 = .milliseconds(instant.milliseconds) } }
}
