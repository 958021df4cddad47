import HeapModule

/// When to ask about which task.
///
/// Each task is asked about when its kind's plan says so (`PollPlan`); polls that fail are backed off; no task is ever
/// given up by the clock. All tasks together keep within the provider's polls per second. If more is due than that, what
/// has been due for the longest goes first, so every task gets its turn.
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
        var key: CompletionKey
        /// When the task began, on the clock of this process; may be negative.
        var start: Duration
        /// Whether it was running already when it was taken over: nobody looked while it may have ended.
        var isTakenOver: Bool
        var generation = 0
        var isPolling = false
        var askedAt: Duration = .zero
        /// The age at which it was last seen running, in seconds.
        var seenRunning = 0.0
        /// Polls in a row that failed.
        var failures = 0
        var isHinted = false
        /// Whether the hint came while it was being asked about, so that the answer may be older than the news.
        var isHintedAgain = false

        func age(at uptime: Duration) -> Double { max(0, (uptime - start).seconds) }
    }

    /// News that somebody announced is asked for before what has been due for less than this.
    private static let hintAdvantage: Duration = .seconds(10)
    private static let longestBackoff: Duration = .seconds(60)

    private var heap: Heap<Due> = []
    private var entries: [AttemptID: Entry] = [:]
    private var pace: RateWindow
    private var history: CompletionHistory
    private var callbacks = CallbackTrust()
    /// Refusals for too many polls, in a row.
    private var refusals = 0
    private var pausedUntil: Duration = .zero

    /// Whether the provider was asked to call back, so that polls are but the net below.
    package var expectsCallbacks = false

    package init(pace: RateLimit, history: CompletionHistory = CompletionHistory()) {
        self.pace = RateWindow(limit: pace)
        self.history = history
    }

    /// Learns from tasks that ended earlier, the oldest first.
    package mutating func learn(_ tasks: [CompletedTask]) {
        history.learn(tasks)
    }

    /// Starts asking about a task that is `age` old.
    package mutating func add(_ attempt: AttemptID, key: CompletionKey, age: Duration, at uptime: Duration) {
        guard entries[attempt] == nil else { return }
        entries[attempt] = Entry(key: key, start: uptime - age, isTakenOver: age > .seconds(2))
        plan(attempt, after: 0, at: uptime)
    }

    /// Stops asking about a task of which nothing more will be learnt.
    package mutating func remove(_ attempt: AttemptID) {
        entries[attempt] = nil
    }

    /// Makes the next poll due now: somebody says that there is news.
    package mutating func hurry(_ attempt: AttemptID, at uptime: Duration) {
        guard let entry = entries[attempt] else { return }
        entries[attempt]?.isHinted = true
        if entry.isPolling {
            entries[attempt]?.isHintedAgain = true
        } else {
            schedule(attempt, at: uptime - Self.hintAdvantage)
        }
    }

    /// Makes the next poll due at `uptime`, whatever the plan says: there should be news by then.
    package mutating func askAgain(_ attempt: AttemptID, at uptime: Duration) {
        guard let entry = entries[attempt], !entry.isPolling else { return }
        entries[attempt]?.isHinted = true
        schedule(attempt, at: uptime)
    }

    /// The tasks to ask about now, within the pace. They count as being asked until they are answered.
    package mutating func takeDue(at uptime: Duration) -> [AttemptID] {
        var due: [AttemptID] = []
        var room = uptime < pausedUntil ? 0 : pace.available(at: uptime)
        while room > 0, let next = heap.min, next.at <= uptime {
            heap.removeMin()
            guard let entry = entries[next.attempt], entry.generation == next.generation, !entry.isPolling else {
                continue
            }
            entries[next.attempt]?.isPolling = true
            entries[next.attempt]?.askedAt = uptime
            pace.send()
            room -= 1
            due.append(next.attempt)
        }
        return due
    }

    /// The task has not ended.
    package mutating func wasRunning(_ attempt: AttemptID, at uptime: Duration) {
        guard let entry = answered(attempt, at: uptime) else { return }
        refusals = 0
        // It was running when it was asked about; since then it may have ended.
        let age = entry.age(at: entry.askedAt)
        history.wasRunning(entry.key, from: entry.seenRunning, to: age)
        entries[attempt]?.seenRunning = max(entry.seenRunning, age)
        entries[attempt]?.failures = 0
        if entry.isHintedAgain {
            entries[attempt]?.isHintedAgain = false
            schedule(attempt, at: uptime - Self.hintAdvantage)
        } else {
            entries[attempt]?.isHinted = false
            plan(attempt, after: age, at: uptime)
        }
    }

    /// The provider does not know the task, or not yet: nothing is learnt from that.
    package mutating func wasUnknown(_ attempt: AttemptID, at uptime: Duration) {
        guard let entry = answered(attempt, at: uptime) else { return }
        refusals = 0
        entries[attempt]?.failures = 0
        plan(attempt, after: entry.age(at: entry.askedAt), at: uptime)
    }

    /// The poll failed. The next one waits for the plan, and at least for 2 s, 4 s, 8 s … up to a minute.
    ///
    /// - Parameter notBefore: a longer delay, if there is reason for one.
    package mutating func failed(_ attempt: AttemptID, at uptime: Duration, notBefore: Duration = .zero) {
        guard let entry = answered(attempt, at: uptime) else { return }
        let backoff = min(.seconds(1 << min(entry.failures + 1, 6)), Self.longestBackoff)
        entries[attempt]?.failures += 1
        plan(attempt, after: entry.age(at: entry.askedAt), at: uptime, earliest: uptime + max(backoff, notBefore))
    }

    /// The task has ended and is not asked about again.
    ///
    /// - Parameter took: by the provider's own clock, if it said.
    /// - Returns: how long it took, as well as is known; nil if that cannot be told.
    @discardableResult
    package mutating func ended(_ attempt: AttemptID, took: Duration?, at uptime: Duration) -> Duration? {
        guard let entry = answered(attempt, at: uptime) else { return nil }
        refusals = 0
        entries[attempt] = nil
        let age = entry.age(at: entry.askedAt)
        // More than its age by far would be a mistake of a clock.
        let exact = took.map(\.seconds).flatMap { $0 > 0 && $0 <= 2 * age + 60 ? $0 : nil }
        if exact == nil, entry.isTakenOver, entry.seenRunning == 0 { return nil }
        let time = exact.map { .exactly($0) } ?? CompletionTime.between(lastSeenRunning: entry.seenRunning, ended: age)
        history.ended(entry.key, time, lastSeenRunning: entry.seenRunning)
        if expectsCallbacks { callbacks.ended(wasHinted: entry.isHinted, delay: exact.map { age - $0 }) }
        return .milliseconds(Int64(time.middle * 1_000))
    }

    /// Changes how often may be asked at all.
    package mutating func change(pace new: RateLimit) {
        pace.change(to: new)
    }

    /// Keeps all polls back, because the provider said that there were too many: a second, and twice as long each time
    /// that it says so again, up to a minute.
    package mutating func pause(at uptime: Duration) {
        pace.shut(at: uptime)
        // What was on its way together is refused together, and counts once.
        guard uptime >= pausedUntil else { return }
        pausedUntil = uptime + min(.seconds(1 << min(refusals, 6)), Self.longestBackoff)
        refusals += 1
    }

    /// Planned polls, superseded ones included.
    var queueLength: Int { heap.count }

    /// When `takeDue` next has something to do by the passing of time. Never in the past.
    package mutating func nextDue(at uptime: Duration) -> Duration? {
        while let next = heap.min, entries[next.attempt]?.generation != next.generation { heap.removeMin() }
        guard let next = heap.min else { return nil }
        let earliest = max(next.at, pausedUntil, uptime)
        if pace.available(at: uptime) > 0 { return earliest }
        guard let slot = pace.nextAvailable(at: uptime) else { return nil }
        return max(earliest, slot)
    }

    private mutating func answered(_ attempt: AttemptID, at uptime: Duration) -> Entry? {
        pace.answer(at: uptime)
        entries[attempt]?.isPolling = false
        return entries[attempt]
    }

    /// Schedules the poll that follows one at `age`, by the plan of the task's kind.
    private mutating func plan(
        _ attempt: AttemptID,
        after age: Double,
        at uptime: Duration,
        earliest: Duration? = nil
    ) {
        guard let entry = entries[attempt] else { return }
        let step = expectsCallbacks ? callbacks.step : 1
        let next = history.plan(for: entry.key).next(after: age, step: step)
        let due = entry.start + .milliseconds(Int64((next * 1_000).rounded(.up)))
        // What is late is due now, and no more than that: hints go before it.
        schedule(attempt, at: max(due, earliest ?? uptime))
    }

    private mutating func schedule(_ attempt: AttemptID, at uptime: Duration) {
        guard var entry = entries[attempt] else { return }
        entry.generation += 1
        entries[attempt] = entry
        heap.insert(Due(at: uptime, attempt: attempt, generation: entry.generation))
        // What was superseded may lie an hour ahead and would pile up.
        if heap.count > 2 * entries.count + 1_024 {
            heap = Heap(heap.unordered.filter { entries[$0.attempt]?.generation == $0.generation })
        }
    }
}
