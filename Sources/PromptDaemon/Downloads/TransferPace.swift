/// Whether a server sends fast enough for the place that its download takes: on average over a sliding window.
///
/// A server that sends a byte now and then never stalls, and would hold its place for ever.
struct TransferPace: Sendable {
    struct Rule: Sendable {
        var bytesPerSecond: Int64 = 1_024
        var window: Duration = .seconds(60)
    }

    /// It was too slow.
    struct TooSlow: Error {
        var rule: Rule
    }

    private struct Arrival: Sendable {
        var at: Duration
        var bytes: Int64
    }

    private let rule: Rule
    private let start: Duration
    /// What came within the window, by the second.
    private var arrivals: [Arrival] = []
    private var sum: Int64 = 0

    init(_ rule: Rule, at uptime: Duration) {
        self.rule = rule
        start = uptime
    }

    /// Notes what has come.
    /// - Throws: `TooSlow` when that is too little, which is not said before a whole window has passed.
    mutating func note(_ bytes: Int, at uptime: Duration) throws(TooSlow) {
        sum += Int64(bytes)
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
        if Duration.seconds(sum) < least { throw TooSlow(rule: rule) }
    }
}
