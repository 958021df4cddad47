import HeapModule

/// When to ask about which task.
///
/// A task is first asked about after 2 s, then after delays that grow by 1.5 up to 10 s, and from five minutes on ever more
/// rarely: a thirtieth of its age, at most once an hour. It is never given up by the clock. All tasks together keep within
/// the provider's polls per second.
package struct PollSchedule: Sendable {
    private struct Due: Comparable {
        var at: Duration
        var attempt: AttemptID
        /// Entries of an older generation were superseded and are skipped.
        var generation: Int

        static func < (left: Due, right: Due) -> Bool {
            (left.at, left.attempt) < (right.at, right.attempt)
        }
    }

    private struct Entry {
        var generation = 0
        var polls = 0
        var isPolling = false
    }

    package static let first: Duration = .seconds(2)
    package static let longest: Duration = .seconds(10)

    private var heap: Heap<Due> = []
    private var entries: [AttemptID: Entry] = [:]
    private var pace: RateWindow

    package init(pace: RateLimit) {
        self.pace = RateWindow(limit: pace)
    }

    /// Starts asking about a task that is `age` old.
    package mutating func add(_ attempt: AttemptID, age: Duration, at uptime: Duration) {
        guard entries[attempt] == nil else { return }
        entries[attempt] = Entry()
        schedule(attempt, at: uptime + max(.zero, Self.first - age))
    }

    package mutating func remove(_ attempt: AttemptID) {
        entries[attempt] = nil
    }

    /// Makes the next poll due now: somebody says that there is news.
    package mutating func hurry(_ attempt: AttemptID, at uptime: Duration) {
        guard let entry = entries[attempt], !entry.isPolling else { return }
        schedule(attempt, at: uptime)
    }

    /// The tasks to ask about now, within the pace. They count as being asked until `answered`.
    package mutating func takeDue(at uptime: Duration) -> [AttemptID] {
        var due: [AttemptID] = []
        var room = pace.available(at: uptime)
        while room > 0, let next = heap.min, next.at <= uptime {
            heap.removeMin()
            guard var entry = entries[next.attempt], entry.generation == next.generation, !entry.isPolling else {
                continue
            }
            entry.isPolling = true
            entry.polls += 1
            entries[next.attempt] = entry
            pace.send()
            room -= 1
            due.append(next.attempt)
        }
        return due
    }

    /// A poll was answered, or failed. `nextIn` overrides the usual delay.
    package mutating func answered(_ attempt: AttemptID, age: Duration, at uptime: Duration, nextIn: Duration? = nil) {
        pace.answer(at: uptime)
        guard var entry = entries[attempt] else { return }
        entry.isPolling = false
        entries[attempt] = entry
        schedule(attempt, at: uptime + (nextIn ?? Self.delay(polls: entry.polls, age: age)))
    }

    /// Changes how often may be asked at all.
    package mutating func change(pace new: RateLimit) {
        pace.change(to: new)
    }

    /// Keeps all polls back: the provider said that there were too many.
    package mutating func pause(at uptime: Duration) {
        pace.shut(at: uptime)
    }

    /// When `takeDue` next has something to do by the passing of time.
    package mutating func nextDue(at uptime: Duration) -> Duration? {
        while let next = heap.min, entries[next.attempt]?.generation != next.generation { heap.removeMin() }
        guard let next = heap.min else { return nil }
        if pace.available(at: uptime) > 0 { return next.at }
        guard let slot = pace.nextAvailable(at: uptime) else { return nil }
        return max(next.at, slot)
    }

    package static func delay(polls: Int, age: Duration) -> Duration {
        if age > .seconds(300) { return min(max(longest, age / 30), .seconds(3_600)) }
        var delay = first
        for _ in 0..<min(polls, 8) where delay < longest { delay = delay * 3 / 2 }
        return min(delay, longest)
    }

    private mutating func schedule(_ attempt: AttemptID, at uptime: Duration) {
        guard var entry = entries[attempt] else { return }
        entry.generation += 1
        entries[attempt] = entry
        heap.insert(Due(at: uptime, attempt: attempt, generation: entry.generation))
    }
}
