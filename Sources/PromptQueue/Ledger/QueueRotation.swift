/// Whose turn it is among queues of one priority: after the queue that was served last comes the next by name, and after
/// the last the first.
///
/// It is kept in memory only. After a restart the first begins again, which costs no queue more than one turn.
package struct QueueRotation: Sendable {
    private var lastServed: [Int64: ExactText] = [:]

    package init() {}

    /// The queue that was served last; nil if none was.
    package func lastServed(at priority: Int64) -> ExactText? { lastServed[priority] }

    /// A job of this queue was taken.
    package mutating func serve(_ queue: ExactText, at priority: Int64) {
        // Whoever gives each job a priority of its own has no turns to take.
        if lastServed.count >= 1_000, lastServed[priority] == nil { lastServed = [:] }
        lastServed[priority] = queue
    }
}
