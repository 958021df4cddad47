import DequeModule
import HeapModule

/// When to ask about which task.
///
/// Each task is asked about when its kind's plan says so (`PollPlan`); polls that fail are backed off; no task is ever
/// given up by the clock. All tasks together keep within the provider's polls per second. If more is due than that, what
/// has been due for the longest goes first, so every task gets its turn.
///
/// An answer frees its poll's slot a window later, as in every `RateWindow`. A poll that hangs gives its slot back
/// before: polls are free, and some that never get an answer must not keep all others waiting.
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
        /// When the next poll is due.
        var dueAt: Duration = .zero
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
    /// A poll without an answer for so long has reached the server long before, and frees its slot.
    package static let patience: Duration = .seconds(2)
    /// Polls without an answer at a time, unless the pace alone allows more. promptd has 60 requests under way at
    /// a time (`RequestQueue`), and paid ones need some, too.
    package static let concurrency = 48

    private struct InFlight {
        var sentAt: Duration
        var holdsSlot = true
    }

    private var heap: Heap<Due> = []
    private var entries: [AttemptID: Entry] = [:]
    private var pace: RateWindow
    private var underWay: [AttemptID: InFlight] = [:]
    /// The polls that may hold a slot, in the order in which they were sent; some are answered already.
    private var sent: Deque<(attempt: AttemptID, at: Duration)> = []
    private var history: CompletionHistory
    private var callbacks = CallbackTrust()
    /// Refusals for too many polls, in a row.
    private var refusals = 0
    private var pausedUntil: Duration = .zero
    /// Whether the key or the provider is well again, which no poll that was backed off has been told yet.
    private var isReachedAgain = false
    private var backoffEndsNotBefore: Duration = .zero

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
        guard entries[attempt] != nil else { return }
        entries[attempt]?.isHinted = true
        if underWay[attempt] != nil {
            entries[attempt]?.isHintedAgain = true
        } else {
            schedule(attempt, at: uptime - Self.hintAdvantage)
        }
    }

    /// Makes the next poll due at `uptime`, whatever the plan says: there should be news by then.
    package mutating func askAgain(_ attempt: AttemptID, at uptime: Duration) {
        guard entries[attempt] != nil, underWay[attempt] == nil else { return }
        entries[attempt]?.isHinted = true
        schedule(attempt, at: uptime)
    }

    /// Makes the next poll due at `uptime`, if it is not due before.
    package mutating func ask(_ attempt: AttemptID, by uptime: Duration) {
        guard let entry = entries[attempt], underWay[attempt] == nil else { return }
        entries[attempt]?.isHinted = true
        if entry.dueAt > uptime { schedule(attempt, at: uptime) }
    }

    /// The tasks to ask about now, within the pace. They count as being asked until they are answered.
    package mutating func takeDue(at uptime: Duration) -> [AttemptID] {
        releaseUnanswered(at: uptime)
        var due: [AttemptID] = []
        var room = uptime < pausedUntil ? 0 : min(pace.available(at: uptime), places)
        while room > 0, let next = heap.min, next.at <= uptime {
            heap.removeMin()
            guard let entry = entries[next.attempt], entry.generation == next.generation,
                underWay[next.attempt] == nil
            else { continue }
            entries[next.attempt]?.askedAt = uptime
            underWay[next.attempt] = InFlight(sentAt: uptime)
            sent.append((next.attempt, uptime))
            pace.send()
            room -= 1
            due.append(next.attempt)
        }
        return due
    }

    /// There was nothing to ask about after all: the slot is free, and the attempt is forgotten.
    package mutating func wasNotAsked(_ attempt: AttemptID) {
        if underWay.removeValue(forKey: attempt)?.holdsSlot == true { pace.releaseUnanswered() }
        entries[attempt] = nil
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
    /// - Parameters:
    ///   - notBefore: a longer delay, if there is reason for one.
    ///   - isAwaited: whether there should be news already, so that there is no waiting for the plan.
    package mutating func failed(
        _ attempt: AttemptID,
        at uptime: Duration,
        notBefore: Duration = .zero,
        isAwaited: Bool = false
    ) {
        guard let entry = answered(attempt, at: uptime) else { return }
        let backoff = min(.seconds(1 << min(entry.failures + 1, 6)), Self.longestBackoff)
        entries[attempt]?.failures += 1
        let earliest = uptime + max(backoff, notBefore)
        if isAwaited {
            schedule(attempt, at: earliest)
        } else {
            plan(attempt, after: entry.age(at: entry.askedAt), at: uptime, earliest: earliest)
        }
    }

    /// The key or the provider is well again.
    package mutating func reachedAgain() { isReachedAgain = true }

    /// There is another key, which says more than one answer does.
    package mutating func keyReloaded() {
        isReachedAgain = true
        backoffEndsNotBefore = .zero
    }

    /// Lets polls that were backed off go when the key or the provider is well again; but once in a while only, since a
    /// provider that is half well closes and opens its gate all the time.
    package mutating func endBackoffIfReached(at uptime: Duration) {
        guard isReachedAgain else { return }
        isReachedAgain = false
        guard uptime >= backoffEndsNotBefore else { return }
        backoffEndsNotBefore = uptime + .seconds(60)
        endBackoff(at: uptime)
    }

    /// What made polls fail is over: those that were backed off are due when the plan has them, as a rule now. Another
    /// failure backs them off further.
    package mutating func endBackoff(at uptime: Duration) {
        let waiting = entries.filter { $0.value.failures > 0 && $0.value.dueAt > uptime && underWay[$0.key] == nil }
        // In order, so that equal histories give equal orders.
        for (attempt, entry) in waiting.sorted(by: { $0.key < $1.key }) {
            let due = entry.isHinted ? uptime : planned(entry, after: entry.age(at: entry.askedAt))
            schedule(attempt, at: min(max(due, uptime), entry.dueAt))
        }
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
        return Duration(saturatedSeconds: time.middle)
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
        releaseUnanswered(at: uptime)
        // With too many without an answer, only an answer helps.
        guard let next = heap.min, places > 0 else { return nil }
        let earliest = max(next.at, pausedUntil, uptime)
        if pace.available(at: uptime) > 0 { return earliest }
        let slots = [pace.nextAvailable(at: uptime), sent.first.map { $0.at + Self.patience }]
        guard let slot = slots.compactMap(\.self).min() else { return nil }
        return max(earliest, slot)
    }

    /// How many more may be under way at once.
    private var places: Int { max(Self.concurrency, pace.limit.count) - underWay.count }

    /// Frees the slots of polls that hang.
    private mutating func releaseUnanswered(at uptime: Duration) {
        while let first = sent.first {
            if let poll = underWay[first.attempt], poll.sentAt == first.at, poll.holdsSlot {
                guard first.at + Self.patience <= uptime else { return }
                underWay[first.attempt]?.holdsSlot = false
                pace.releaseUnanswered()
            }
            sent.removeFirst()
        }
    }

    private mutating func answered(_ attempt: AttemptID, at uptime: Duration) -> Entry? {
        releaseUnanswered(at: uptime)
        if underWay.removeValue(forKey: attempt)?.holdsSlot == true { pace.answer(at: uptime) }
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
        // What is late is due now, and not earlier: hints go before it.
        schedule(attempt, at: max(planned(entry, after: age), earliest ?? uptime))
    }

    private mutating func planned(_ entry: Entry, after age: Double) -> Duration {
        let step = expectsCallbacks ? callbacks.step : 1
        let next = history.plan(for: entry.key).next(after: age, step: step)
        return entry.start + Duration(saturatedSeconds: (next * 1_000).rounded(.up) / 1_000)
    }

    private mutating func schedule(_ attempt: AttemptID, at uptime: Duration) {
        guard var entry = entries[attempt] else { return }
        entry.generation += 1
        entry.dueAt = uptime
        entries[attempt] = entry
        heap.insert(Due(at: uptime, attempt: attempt, generation: entry.generation))
        // What was superseded may lie an hour ahead and would pile up.
        if heap.count > 2 * entries.count + 1_024 {
            heap = Heap(heap.unordered.filter { entries[$0.attempt]?.generation == $0.generation })
        }
    }
}
