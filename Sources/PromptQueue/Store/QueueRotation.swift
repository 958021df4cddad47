/// Whose turn it is among queues: the one that was served longest ago goes first.
///
/// It is kept in memory only. After a restart all queues are equal again, which costs none of them more than one turn.
package struct QueueRotation: Sendable {
    private var lastServed: [String: Int] = [:]
    private var clock = 0

    package init() {}

    /// When a queue was last served; less is longer ago, and a queue that never was comes first.
    package func lastTurn(of queue: String) -> Int { lastServed[queue] ?? -1 }

    /// A job of this queue was taken.
    package mutating func serve(_ queue: String) {
        clock += 1
        lastServed[queue] = clock
    }

    /// Forgets queues that have nothing waiting.
    package mutating func keep(_ queues: Set<String>) {
        if lastServed.count > 2 * queues.count + 100 { lastServed = lastServed.filter { queues.contains($0.key) } }
    }
}
