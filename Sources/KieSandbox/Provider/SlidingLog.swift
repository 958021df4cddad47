import DequeModule
package import PromptQueue

/// Arrivals in a sliding window, exactly: no buckets, no averages.
///
/// The window is half open: of two arrivals exactly one window apart only the later one is in it.
package struct SlidingLog: Sendable {
    /// The window's length.
    package let window: Duration
    /// The most arrivals that any window held.
    package private(set) var most = 0
    private var arrivals: Deque<Instant> = []

    package init(window: Duration) {
        self.window = window
    }

    /// The arrivals in the window that ends at `now`, which never goes back.
    package mutating func count(at now: Instant) -> Int {
        while let first = arrivals.first, first <= now - window { arrivals.removeFirst() }
        return arrivals.count
    }

    /// Adds an arrival; not before the last one.
    package mutating func record(at now: Instant) {
        arrivals.append(now)
        most = max(most, count(at: now))
    }
}
