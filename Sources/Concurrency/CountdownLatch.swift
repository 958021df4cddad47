import Synchronization

/// Does something once when everything that is waited for has happened.
package final class CountdownLatch: Sendable {
    private let left: Mutex<Int>
    private let done: @Sendable () -> Void

    /// - Parameter count: how much is waited for; with none it is done at once.
    package init(_ count: Int, done: @escaping @Sendable () -> Void) {
        left = Mutex(count)
        self.done = done
        if count == 0 { done() }
    }

    package func step() {
        let left = left.withLock { left in
            left -= 1
            return left
        }
        if left == 0 { done() }
    }
}
