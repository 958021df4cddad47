import Synchronization

/// Rings once at the time that was set last.
package final class OneShotTimer: Sendable {
    private let time: any TimeSource
    private let ring: @Sendable () -> Void
    private let sleeper = Mutex<Task<Void, Never>?>(nil)

    package init(time: any TimeSource, ring: @escaping @Sendable () -> Void) {
        self.time = time
        self.ring = ring
    }

    package func set(_ uptime: Duration) {
        // A task of its own, because only so can one sleep be cancelled without its siblings.
        let new = Task { [time, ring] in
            guard (try? await time.sleep(until: uptime)) != nil else { return }
            ring()
        }
        replace(with: new)
    }

    package func cancel() {
        replace(with: nil)
    }

    private func replace(with new: Task<Void, Never>?) {
        let old = sleeper.withLock { sleeper in
            defer { sleeper = new }
            return sleeper
        }
        old?.cancel()
    }
}
