import HeapModule

/// Which result to fetch next: the one whose URL has lived longest, a bounded number at a time.
package struct DownloadQueue: Sendable {
    /// A result that may be fetched now: the oldest URL is the first to expire.
    private struct Ready: Comparable {
        var createdAt: Instant
        var result: ResultID
        /// Its place in line is the entry's latest only if this is.
        var ticket: Int

        static func < (left: Ready, right: Ready) -> Bool {
            (left.createdAt, left.result.job, left.result.ordinal, left.ticket)
                < (right.createdAt, right.result.job, right.result.ordinal, right.ticket)
        }
    }

    /// A result that is tried again later.
    private struct Waiting: Comparable {
        var readyAt: Duration
        var ready: Ready

        static func < (left: Waiting, right: Waiting) -> Bool {
            (left.readyAt, left.ready) < (right.readyAt, right.ready)
        }
    }

    private struct Entry {
        var download: PendingDownload
        var attempts = 0
        /// Of its latest place in line.
        var ticket = 0
        /// Whether the latest try asked the provider for a fresh URL before all else.
        var hasAskedForFreshURL = false
        /// Whether one more try is all it gets.
        var isAtLastTry = false
        /// Whether the latest try found that this machine cannot store it.
        var isHeldByDisk = false
        /// Why the latest try failed.
        var reason: String?
        /// Whether it was asked for again while it had a place.
        var isAskedForAgain = false
    }

    /// What takes longer than this keeps no other out, as long as there are no more of its kind than places: some slow
    /// servers would else hold up all the others.
    package static let slowAfter: Duration = .seconds(60)

    package static let maximumAttempts = 8
    /// How long result URLs usually live.
    package static let lifetime: Duration = .seconds(86_400)
    /// From this try on every other one goes to a fresh URL.
    private static let firstFreshTry = 4

    private let concurrency: Int
    private var entries: [ResultID: Entry] = [:]
    /// Those that have a place, and since when: being fetched, recorded, or removed again. Some may have no entry any more.
    private var active: [ResultID: Duration] = [:]
    private var ready: Heap<Ready> = []
    private var waiting: Heap<Waiting> = []
    private var heldByDisk = 0
    private var tickets = 0
    private var retry: RetryPolicy

    package init(concurrency: Int) {
        self.concurrency = concurrency
        retry = RetryPolicy()
        retry.base = .seconds(2)
    }

    /// One job with many results, or slow ones, leaves some places to the others.
    private var placesOfOneJob: Int { max(1, concurrency * 3 / 4) }

    package var activeCount: Int { active.count }
    package var isEmpty: Bool { entries.isEmpty }
    /// All that are not finished, in order.
    package var results: [ResultID] {
        entries.keys.sorted { ($0.job, $0.ordinal) < ($1.job, $1.ordinal) }
    }
    /// Nil of a result that is not in the queue.
    package func origin(of result: ResultID) -> JobOrigin? { entries[result]?.download.origin }
    /// Whether any waits because this machine could not store it.
    package var isHeldByDisk: Bool { heldByDisk > 0 }

    package mutating func add(_ download: PendingDownload, at uptime: Duration) {
        let hasPlace = active[download.result] != nil
        guard entries[download.result] == nil else {
            entries[download.result]?.isAskedForAgain = hasPlace
            return
        }
        entries[download.result] = Entry(download: download, isAskedForAgain: hasPlace)
        // What was dropped and still has a place is put in line when it has left that.
        if !hasPlace { putInLine(download.result) }
    }

    package mutating func takeReady(at uptime: Duration) -> [PendingDownload] {
        // What has waited long enough stands in line by its age again: new results must not hold it up.
        while let next = waiting.min, next.readyAt <= uptime {
            waiting.removeMin()
            ready.insert(next.ready)
        }
        var taken: [PendingDownload] = []
        var passedOver: [Ready] = []
        defer { for next in passedOver { ready.insert(next) } }
        var places: [JobID: Int] = [:]
        for result in active.keys { places[result.job, default: 0] += 1 }
        while placesTaken(at: uptime) < concurrency, let next = ready.popMin() {
            guard var entry = entries[next.result], entry.ticket == next.ticket else { continue }
            guard places[next.result.job, default: 0] < placesOfOneJob else {
                passedOver.append(next)
                continue
            }
            places[next.result.job, default: 0] += 1
            let number = entry.attempts + 1
            let isFreshTurn = number >= Self.firstFreshTry && (number - Self.firstFreshTry).isMultiple(of: 2)
            entry.hasAskedForFreshURL = entry.isAtLastTry || isFreshTurn
            entry.isAskedForAgain = false
            entries[next.result] = entry
            active[next.result] = uptime
            var download = entry.download
            download.asksForFreshURL = entry.hasAskedForFreshURL
            taken.append(download)
        }
        return taken
    }

    /// How many places are taken from those that are still to come.
    private func placesTaken(at uptime: Duration) -> Int {
        let slow = active.values.count { uptime - $0 >= Self.slowAfter }
        return active.count - min(slow, concurrency)
    }

    package mutating func finish(_ result: ResultID) {
        active[result] = nil
        drop(result)
    }

    /// Forgets a result that nobody waits for any more. If it has a place it keeps that until `leave`.
    package mutating func drop(_ result: ResultID) {
        if let entry = entries.removeValue(forKey: result), entry.isHeldByDisk { heldByDisk -= 1 }
    }

    /// Whether a result was asked for again since it got its place.
    package func isAskedForAgain(_ result: ResultID) -> Bool { entries[result]?.isAskedForAgain ?? false }

    /// Takes the place back from a result that was cut off or dropped; it is fetched again if it is wanted (again).
    package mutating func leave(_ result: ResultID) {
        active[result] = nil
        if entries[result] != nil { putInLine(result) }
    }

    /// Notes why a result is not there yet.
    ///
    /// - Returns: whether it is the first reason, and whether it is another one than before.
    package mutating func note(_ reason: String, of result: ResultID) -> (isFirst: Bool, isNews: Bool) {
        guard let entry = entries[result] else { return (false, false) }
        entries[result]?.reason = reason
        return (entry.reason == nil, entry.reason != reason)
    }

    /// Plans another try; false when there have been enough.
    ///
    /// A file that is gone is given up after `maximumAttempts`; trouble that may pass is waited out for as long as the
    /// URL may live, and at last a fresh URL is asked for; a full disk is waited out for ever. What was cut off counts
    /// for nothing.
    package mutating func retry(
        _ result: ResultID,
        after failure: DownloadFailure,
        now: Moment,
        using generator: inout some RandomNumberGenerator
    ) -> Bool {
        guard var entry = entries[result], failure != .interrupted else {
            leave(result)
            return true
        }
        active[result] = nil
        if entry.isHeldByDisk != (failure == .local) { heldByDisk += failure == .local ? 1 : -1 }
        entry.isHeldByDisk = failure == .local
        entries[result] = entry
        let isEnough = entry.attempts + 1 >= Self.maximumAttempts
        switch failure {
        case .refused: return false
        case .gone: if isEnough || entry.isAtLastTry { return false }
        case .passing:
            if isEnough, now.instant - entry.download.createdAt >= Self.lifetime {
                if entry.hasAskedForFreshURL { return false }
                entry.isAtLastTry = true
            }
        case .local, .interrupted: break
        }
        entry.attempts += failure == .local ? 0 : 1
        entries[result] = entry
        let delay = retry.delay(attempts: failure == .local ? 4 : entry.attempts, using: &generator)
        putInLine(result, at: now.uptime + delay)
        return true
    }

    /// When something can be taken that cannot be taken now; nil if only an end makes room.
    package func nextReady(after uptime: Duration) -> Duration? {
        if placesTaken(at: uptime) < concurrency { return waiting.min?.readyAt }
        guard !ready.isEmpty || !waiting.isEmpty else { return nil }
        let next = active.values.map { $0 + Self.slowAfter }.filter { $0 > uptime }.min()
        guard let next, placesTaken(at: next) < concurrency else { return nil }
        return ready.isEmpty ? max(next, waiting.min?.readyAt ?? next) : next
    }

    private mutating func putInLine(_ result: ResultID, at readyAt: Duration? = nil) {
        guard var entry = entries[result] else { return }
        tickets += 1
        entry.ticket = tickets
        entries[result] = entry
        let next = Ready(createdAt: entry.download.createdAt, result: result, ticket: entry.ticket)
        if let readyAt {
            waiting.insert(Waiting(readyAt: readyAt, ready: next))
        } else {
            ready.insert(next)
        }
    }
}
