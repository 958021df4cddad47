import DequeModule

/// An exact sliding window over requests.
///
/// A slot is taken when a request is sent and freed one window after it was *answered*: the request reached the server
/// somewhere in between, so no window there can hold more than `limit.count` arrivals, whatever the network does. Token
/// buckets and fixed windows let up to twice as many through.
package struct RateWindow: Sendable {
    package private(set) var limit: RateLimit
    /// Requests sent and not yet answered.
    package private(set) var inFlight = 0
    /// When the slots of answered requests become free, in order.
    private var freeAt: Deque<Duration> = []
    /// Nothing is sent before this, whatever the slots say.
    private var shutUntil: Duration = .zero

    package init(limit: RateLimit) {
        self.limit = limit
    }

    /// How many requests may be sent now.
    package mutating func available(at uptime: Duration) -> Int {
        release(at: uptime)
        guard uptime >= shutUntil else { return 0 }
        return max(0, limit.count - inFlight - freeAt.count)
    }

    /// When the next slot becomes free by the passing of time; nil if one is free or none waits for time alone.
    package mutating func nextAvailable(at uptime: Duration) -> Duration? {
        guard available(at: uptime) == 0 else { return nil }
        guard inFlight < limit.count else { return nil }
        let slot = inFlight + freeAt.count >= limit.count ? freeAt.first : nil
        return max(slot ?? shutUntil, shutUntil)
    }

    package mutating func send() {
        inFlight += 1
    }

    package mutating func answer(at uptime: Duration) {
        inFlight -= 1
        occupy(until: uptime + limit.window)
    }

    /// Takes over a slot that an earlier process left busy.
    package mutating func occupy(until end: Duration) {
        // Answers come nearly in order, so the search from the end is short.
        var index = freeAt.endIndex
        while index > freeAt.startIndex, freeAt[index - 1] > end { index -= 1 }
        freeAt.insert(end, at: index)
    }

    /// Changes the limit. Busy slots stay busy for as long as the new window demands.
    package mutating func change(to new: RateLimit) {
        let difference = new.window - limit.window
        freeAt = Deque(freeAt.map { $0 + difference })
        limit = new
    }

    /// Keeps the window shut for its whole length: the server counts differently than we do.
    package mutating func shut(at uptime: Duration) {
        shutUntil = max(shutUntil, uptime + limit.window)
    }

    private mutating func release(at uptime: Duration) {
        while let first = freeAt.first, first <= uptime { freeAt.removeFirst() }
    }
}
