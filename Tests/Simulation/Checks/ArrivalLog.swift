import PromptQueue

/// Arrivals at the server, to be measured against the limits under which they were sent.
///
/// No window may hold more arrivals than the limit of the one that was sent last among them: that one had to wait until
/// the others left room.
struct ArrivalLog {
    private struct Arrival {
        var at: Duration
        /// In which order they were sent.
        var order: Int64
        var limit: RateLimit
    }

    private var recent: [Arrival] = []
    private static let memory: Duration = .seconds(120)

    /// - Returns: what is wrong, if anything is.
    mutating func note(at time: Duration, order: Int64, limit: RateLimit) -> String? {
        recent.removeAll { $0.at <= time - Self.memory }
        recent.append(Arrival(at: time, order: order, limit: limit))
        var limits: [RateLimit] = []
        for arrival in recent where !limits.contains(arrival.limit) { limits.append(arrival.limit) }
        for limit in limits {
            let held = recent.filter { $0.at > time - limit.window }
            guard held.count > limit.count, let last = held.max(by: { $0.order < $1.order }) else { continue }
            if last.limit == limit { return "\(held.count) arrivals within a window of \(limit)" }
        }
        return nil
    }
}
