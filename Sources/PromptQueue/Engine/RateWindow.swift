import DequeModule

/// An exact sliding window over requests.
///
/// A slot is taken when a request is sent and freed one window after it was *answered*: the request reached the server
/// somewhere in between, so no window there can hold more than `limit.count` arrivals, whatever the network does. Token
/// buckets and fixed windows let up to twice as many through.
///
/// When the server says that there were too many all the same, it counts differently, or somebody else uses the account:
/// the window is held shut for its whole length, and from then on holds half as many, and one more after each whole
/// window without such an answer (additive increase, multiplicative decrease; Chiu and Jain 1989).
package struct RateWindow: Sendable {
    package private(set) var limit: RateLimit
    /// How many requests a window may hold now: `limit.count`, or fewer since the server refused one.
    package private(set) var allowance: Int
    /// Requests sent and not yet answered.
    package private(set) var inFlight = 0
    /// When the slots of answered requests become free, in order.
    private var freeAt: Deque<Duration> = []
    /// Nothing is sent before this, whatever the slots say.
    package private(set) var shutUntil: Duration = .seconds(Int32.min)
    /// When the allowance next grows, while it is shrunk.
    private var growsAt: Duration = .zero

    package init(limit: RateLimit) {
        self.limit = limit
        allowance = limit.count
    }

    /// The limit with the allowance for its count.
    package var current: RateLimit { RateLimit(count: allowance, window: limit.window) }

    package var isWhole: Bool { allowance >= limit.count }

    /// How many requests may be sent now.
    package mutating func available(at uptime: Duration) -> Int {
        release(at: uptime)
        guard uptime >= shutUntil else { return 0 }
        return max(0, allowance - inFlight - freeAt.count)
    }

    /// When the next slot becomes free by the passing of time; nil if one is free or none waits for time alone.
    package mutating func nextAvailable(at uptime: Duration) -> Duration? {
        guard available(at: uptime) == 0 else { return nil }
        // How many busy slots have to become free before one is to be had.
        let needed = inFlight + freeAt.count - allowance
        guard needed >= 0 else { return shutUntil }
        guard needed < freeAt.count else { return nil }
        return max(freeAt[freeAt.startIndex + needed], shutUntil)
    }

    package mutating func send() {
        inFlight += 1
    }

    package mutating func answer(at uptime: Duration) {
        inFlight -= 1
        occupy(until: uptime + limit.window)
    }

    /// Frees the slot of a request that is not answered yet: for requests that cost nothing when they are too many, and of
    /// which it is known otherwise that they reached the server at least a window ago.
    package mutating func releaseUnanswered() {
        inFlight -= 1
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
        allowance = isWhole ? new.count : min(allowance, new.count)
        limit = new
    }

    /// The server said that there were too many: keeps the window shut for its whole length, and halves the allowance.
    ///
    /// Requests that were sent together are refused together: while the window is shut already, nothing shrinks again.
    ///
    /// - Returns: the limit before, if it is smaller now.
    package mutating func refuse(at uptime: Duration) -> RateLimit? {
        recover(at: uptime)
        let isShut = uptime < shutUntil
        shutUntil = max(shutUntil, uptime + limit.window)
        growsAt = shutUntil + limit.window
        guard !isShut, allowance > 1 else { return nil }
        let before = current
        allowance = max(1, allowance / 2)
        return before
    }

    /// Keeps the window shut for its whole length, at its whole allowance.
    package mutating func shut(at uptime: Duration) {
        shutUntil = max(shutUntil, uptime + limit.window)
    }

    /// Keeps the window shut until then, as the server has asked for.
    package mutating func shut(until uptime: Duration) {
        shutUntil = max(shutUntil, uptime)
        if !isWhole { growsAt = max(growsAt, shutUntil + limit.window) }
    }

    /// Lets the allowance grow by one for each whole window since the last refusal. True if it has grown.
    @discardableResult
    package mutating func recover(at uptime: Duration) -> Bool {
        guard !isWhole, uptime >= growsAt else { return false }
        let missing = limit.count - allowance
        let windows = min(Int((uptime - growsAt) / limit.window) + 1, missing)
        allowance += windows
        growsAt += limit.window * windows
        return true
    }

    /// When the allowance next grows; nil when it is whole.
    package var nextGrowth: Duration? { isWhole ? nil : growsAt }

    /// When the allowance is whole again if nothing is refused until then; nil when it is.
    package var wholeAt: Duration? {
        isWhole ? nil : growsAt + limit.window * (limit.count - allowance - 1)
    }

    private mutating func release(at uptime: Duration) {
        while let first = freeAt.first, first <= uptime { freeAt.removeFirst() }
    }
}
