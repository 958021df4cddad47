/// When to claim: whether the queue may hold jobs that are due, and what has to come before the next look.
struct Claiming: Sendable {
    /// From a claim that found no slot where the engine saw some to the next.
    private static let pause: Duration = .milliseconds(100)
    /// How often to look whether a slot that a lost request keeps is free.
    private static let lostSlotPause: Duration = .seconds(60)

    private(set) var isUnderWay = false
    /// Whether the queue may hold jobs that are due.
    private(set) var mayHaveDue = true
    /// The last attempt that was claimed.
    private(set) var last = AttemptID(0)
    private var nextRunAt: Instant?
    /// What was learnt of the queue while a claim was out, which its outcome cannot know.
    private var dueMeanwhile = false
    private var runAtMeanwhile: Instant?
    /// Whether jobs wait for a place in a queue with a limit of its own.
    private var waitsForPlace = false
    /// Whether jobs wait for room in a budget.
    private var waitsForBudget = false
    /// When to look again whether a budget's new period has begun.
    private var nextBudgetLook: Duration?
    /// No claim before this: the ledger counts a slot as busy that the engine thought free.
    private var notBefore: Duration = .zero
    /// Whether all slots are kept by requests whose answer was lost.
    private var waitsForLostSlot = false
    /// Nothing is claimed before this, or the first reading of the balance: what is spent meanwhile could not be compared.
    private var firstReadingBy: Duration?

    // MARK: - News of the queue

    /// There may be jobs that can be claimed.
    mutating func noteDue() {
        mayHaveDue = true
        if waitsForLostSlot {
            waitsForLostSlot = false
            notBefore = .zero
        }
        if isUnderWay { dueMeanwhile = true }
    }

    /// What was settled may have made room in a budget or a queue.
    mutating func noteRoom() {
        if waitsForBudget || waitsForPlace { noteDue() }
    }

    /// A job has ended, which may have made room in its queue.
    mutating func notePlace() {
        if waitsForPlace { noteDue() }
    }

    /// A request whose answer was lost has arrived: its slot is free a window later.
    mutating func noteArrival(at uptime: Duration, window: Duration) {
        guard waitsForLostSlot else { return }
        waitsForLostSlot = false
        notBefore = min(notBefore, uptime + window)
    }

    /// A job is in the queue again, and due at an instant.
    mutating func comeBack(at instant: Instant, now: Moment) {
        if instant <= now.instant {
            noteDue()
        } else {
            nextRunAt = min(nextRunAt ?? instant, instant)
            if isUnderWay { runAtMeanwhile = min(runAtMeanwhile ?? instant, instant) }
        }
    }

    /// A budget's new period may have begun.
    mutating func lookAtBudgets(at uptime: Duration) {
        guard let look = nextBudgetLook, look <= uptime else { return }
        // The claim that follows sets it again.
        nextBudgetLook = nil
        noteDue()
    }

    // MARK: - The first reading of the balance

    mutating func waitForReading(until uptime: Duration) { firstReadingBy = uptime }

    mutating func readingEnded() { firstReadingBy = nil }

    // MARK: - A claim

    /// Whether there is reason to claim now.
    mutating func isDue(now: Moment) -> Bool {
        if let due = nextRunAt, due <= now.instant {
            nextRunAt = nil
            noteDue()
        }
        return mayHaveDue && !isUnderWay && now.uptime >= earliest
    }

    private var earliest: Duration { max(notBefore, firstReadingBy ?? .zero) }

    mutating func begin() { isUnderWay = true }

    /// The claim is back, or has failed.
    mutating func end() { isUnderWay = false }

    mutating func take(_ claim: Claim, window: Duration, now: Moment) {
        mayHaveDue = claim.hasMore || dueMeanwhile
        nextRunAt = [claim.nextRunAt, runAtMeanwhile].compactMap(\.self).min()
        dueMeanwhile = false
        runAtMeanwhile = nil
        waitsForPlace = claim.waitsForPlace
        waitsForBudget = claim.waitsForBudget
        nextBudgetLook = waitsForBudget ? now.uptime + Self.budgetPause(at: now.instant) : nil
        if let slot = claim.nextSlotAt {
            // Longer than a window only lost requests keep their slots; and when one of them is settled, it is free.
            let wait = max(slot - now.instant, .milliseconds(1))
            waitsForLostSlot = wait > window
            notBefore = now.uptime + min(wait, waitsForLostSlot ? max(Self.lostSlotPause, window) : window)
        } else {
            waitsForLostSlot = false
        }
        if claim.jobs.isEmpty, claim.refused.isEmpty, claim.hasMore {
            // The ledger sees no room where the engine saw some: ask again, but not at once.
            notBefore = max(notBefore, now.uptime + Self.pause)
        }
        for job in claim.jobs { last = max(last, job.attempt) }
    }

    /// All periods of budgets begin with an hour of UTC. Ten minutes at most, in case somebody sets the clock.
    private static func budgetPause(at instant: Instant) -> Duration {
        let hour: Int64 = 3_600_000
        return min(.milliseconds(hour - instant.milliseconds % hour), .seconds(600))
    }

    // MARK: - Time

    /// When time alone may make a claim worth while.
    ///
    /// - Parameter slot: when the rate window has one free, if none is now.
    func wakes(slot: Duration?, now: Moment) -> [Duration] {
        var times: [Duration] = []
        if mayHaveDue, !isUnderWay {
            if let slot { times.append(slot) }
            if earliest > now.uptime { times.append(earliest) }
        }
        if let nextRunAt {
            // At least once a minute, in case somebody sets the clock.
            times.append(now.uptime + min(max(nextRunAt - now.instant, .zero), .seconds(60)))
        }
        if let nextBudgetLook, !isUnderWay { times.append(max(nextBudgetLook, now.uptime)) }
        return times
    }
}
