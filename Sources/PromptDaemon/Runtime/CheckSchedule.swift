/// When to look for what other processes have committed, after writes to the database's files.
///
/// A frame of the log is written before its commit counts: that waits for the writer's sync, which takes from a fraction
/// of a millisecond to a tenth of a second, and no write follows it. So one look is not enough. They come densely at
/// first and then ever more rarely, for 135 ms or more after the last write; then there are none until the next. Writes
/// while this goes on, our own commits most of all, prolong it, and bring no more than a look every five milliseconds.
struct CheckSchedule {
    /// Milliseconds from each look to the next.
    private static let pauses: [Int64] = [1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 10, 20, 40, 60]
    /// Where it goes on after a write that comes while looks are planned, or that is our own.
    private static let settled = 10

    /// When to look next; nil while nobody writes.
    private(set) var next: Duration?
    private var step = 0
    private var lookedAt: Duration?

    /// Somebody has written to one of the files.
    ///
    /// - Parameter isOwn: whether this process has committed since the last time.
    mutating func written(at uptime: Duration, isOwn: Bool) {
        guard next != nil || isOwn else {
            step = 0
            next = uptime
            return
        }
        step = next == nil ? Self.settled : min(step, Self.settled)
        let earliest = lookedAt.map { $0 + .milliseconds(Self.pauses[Self.settled]) } ?? uptime
        let look = max(uptime, earliest)
        next = next.map { min($0, look) } ?? look
    }

    func isDue(at uptime: Duration) -> Bool { next.map { $0 <= uptime } ?? false }

    mutating func looked(at uptime: Duration) {
        lookedAt = uptime
        next = step < Self.pauses.count ? uptime + .milliseconds(Self.pauses[step]) : nil
        step += 1
    }
}
