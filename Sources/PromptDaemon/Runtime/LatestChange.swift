import PromptQueue

/// Keeps changes that replace each other in order: one is being written, and of those that came meanwhile only the last
/// will be.
struct LatestChange {
    private var underWay: [LedgerChange] = []
    private var waiting: [LedgerChange] = []

    /// Returns the change if it is to be written now.
    mutating func start(_ change: LedgerChange) -> LedgerChange? {
        guard underWay.isEmpty else {
            waiting.append(change)
            return nil
        }
        underWay = [change]
        return change
    }

    /// The writing has failed for good: how many changes it stood for, and those that waited.
    mutating func abandon() -> Int {
        defer {
            underWay = []
            waiting = []
        }
        return underWay.count + waiting.count
    }

    /// The writing has ended: all changes that it stood for, and the next to write.
    mutating func finished() -> (done: [LedgerChange], next: LedgerChange?) {
        let done = underWay
        underWay = waiting
        waiting = []
        return (done, underWay.last)
    }
}
