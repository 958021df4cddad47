import HeapModule

/// What is going to happen, in order of time, then of planning.
struct Agenda<Occurrence> {
    private struct Entry: Comparable {
        var at: Duration
        var sequence: Int
        var occurrence: Occurrence

        static func < (left: Self, right: Self) -> Bool { (left.at, left.sequence) < (right.at, right.sequence) }
        static func == (left: Self, right: Self) -> Bool { left.sequence == right.sequence }
    }

    private var heap: Heap<Entry> = []
    private var planned = 0

    /// When the next occurrence is due.
    var next: Duration? { heap.min?.at }

    mutating func add(_ occurrence: Occurrence, at time: Duration) {
        planned += 1
        heap.insert(Entry(at: time, sequence: planned, occurrence: occurrence))
    }

    mutating func take() -> (at: Duration, occurrence: Occurrence)? {
        heap.popMin().map { ($0.at, $0.occurrence) }
    }
}
