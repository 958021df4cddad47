import Synchronization

/// A number of places that are taken and given back.
final class Places: Sendable {
    private let free: Mutex<Int>

    init(_ count: Int) { free = Mutex(count) }

    /// - Returns: nil if all are taken.
    func enter() -> Place? {
        let isFree = free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
        return isFree ? Place { [self] in free.withLock { $0 += 1 } } : nil
    }
}
