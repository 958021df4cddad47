/// Whether a server sends fast enough for the place that its download takes: on average over a sliding window.
///
/// A server that sends a byte now and then never stalls, and would hold its place for ever.
package struct TransferPace: Sendable {
    package struct Rule: Sendable {
        var bytesPerSecond: Int64
        var window: Duration
        /// A file that can be continued makes room for others after a while, unless it comes at some speed: nothing is lost
        /// by it, and a server that sends just enough not to be too slow holds its place for minutes and not for weeks.
        var turn: Duration
        var bytesPerSecondBeyondTurn: Int64

        package init(
            bytesPerSecond: Int64 = 1_024,
            window: Duration = .seconds(60),
            turn: Duration = .seconds(600),
            bytesPerSecondBeyondTurn: Int64 = 32 * 1_024
        ) {
            self.bytesPerSecond = bytesPerSecond
            self.window = window
            self.turn = turn
            self.bytesPerSecondBeyondTurn = bytesPerSecondBeyondTurn
        }
    }

    /// It was too slow.
    struct TooSlow: Error {
        /// On average.
        var bytesPerSecond: Int64
    }

    private struct Arrival: Sendable {
        var at: Duration
        var bytes: Int64
    }

    /// What cannot be continued begins again when it is cut off, so it gets more time; but not for ever.
    private static let turnsWithoutContinuation = 6

    private let rule: Rule
    private let start: Duration
    private let canContinue: Bool
    private var total: Int64 = 0
    /// What came within the window, by the second.
    private var arrivals: [Arrival] = []
    private var sum: Int64 = 0

    /// - Parameter canContinue: whether a later try goes on where this one is broken off.
    init(_ rule: Rule, canContinue: Bool = false, at uptime: Duration) {
        self.rule = rule
        self.canContinue = canContinue
        start = uptime
    }

    /// Notes what has come.
    /// - Throws: `TooSlow` when that is too little, which is not said before a whole window has passed.
    mutating func note(_ bytes: Int, at uptime: Duration) throws(TooSlow) {
        sum += Int64(bytes)
        total += Int64(bytes)
        if let last = arrivals.last, uptime - last.at < .seconds(1) {
            arrivals[arrivals.count - 1].bytes += Int64(bytes)
        } else {
            arrivals.append(Arrival(at: uptime, bytes: Int64(bytes)))
        }
        while let first = arrivals.first, first.at <= uptime - rule.window {
            sum -= first.bytes
            arrivals.removeFirst()
        }
        guard uptime - start >= rule.window else { return }
        let least = rule.window * Int(rule.bytesPerSecond)
        if Duration.seconds(sum) < least { throw TooSlow(bytesPerSecond: rule.bytesPerSecond) }
        guard uptime - start >= (canContinue ? rule.turn : rule.turn * Self.turnsWithoutContinuation) else { return }
        if Duration.seconds(total) < (uptime - start) * Int(rule.bytesPerSecondBeyondTurn) {
            throw TooSlow(bytesPerSecond: rule.bytesPerSecondBeyondTurn)
        }
    }
}
