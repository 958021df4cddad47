import HeapModule

/// Which result to fetch next: the one whose URL has lived longest, a bounded number at a time.
package struct DownloadQueue: Sendable {
    /// A result that may be fetched now: the oldest URL is the first to expire.
    private struct Ready: Comparable {
        var createdAt: Instant
        var result: ResultID

        static func < (left: Ready, right: Ready) -> Bool {
            (left.createdAt, left.result.job, left.result.ordinal)
                < (right.createdAt, right.result.job, right.result.ordinal)
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
    }

    package static let maximumAttempts = 8
    /// How long result URLs usually live.
    package static let lifetime: Duration = .seconds(86_400)

    private let concurrency: Int
    private var entries: [ResultID: Entry] = [:]
    private var active: Set<ResultID> = []
    private var ready: Heap<Ready> = []
    private var waiting: Heap<Waiting> = []
    private var retry: RetryPolicy

    package init(concurrency: Int) {
        self.concurrency = concurrency
        retry = RetryPolicy()
        retry.base = .seconds(2)
    }

    package var activeCount: Int { active.count }
    package var isEmpty: Bool { entries.isEmpty }

    package mutating func add(_ download: PendingDownload, at uptime: Duration) {
        guard entries[download.result] == nil else { return }
        entries[download.result] = Entry(download: download)
        ready.insert(Ready(createdAt: download.createdAt, result: download.result))
    }

    package mutating func takeReady(at uptime: Duration) -> [PendingDownload] {
        // What has waited long enough stands in line by its age again: new results must not hold it up.
        while let next = waiting.min, next.readyAt <= uptime {
            waiting.removeMin()
            ready.insert(next.ready)
        }
        var taken: [PendingDownload] = []
        while active.count < concurrency, let next = ready.popMin() {
            guard let entry = entries[next.result] else { continue }
            active.insert(next.result)
            taken.append(entry.download)
        }
        return taken
    }

    package mutating func finish(_ result: ResultID) {
        active.remove(result)
        entries[result] = nil
    }

    /// Plans another try; false when there have been enough.
    ///
    /// A file that is gone is given up after `maximumAttempts`; trouble that may pass is waited out for as long as the
    /// URL may live, and a full disk for ever.
    package mutating func retry(
        _ result: ResultID,
        after failure: DownloadFailure,
        now: Moment,
        using generator: inout some RandomNumberGenerator
    ) -> Bool {
        active.remove(result)
        guard var entry = entries[result] else { return true }
        let age = now.instant - entry.download.createdAt
        let isWorthIt =
            switch failure {
            case .refused: false
            case .gone: entry.attempts + 1 < Self.maximumAttempts
            case .passing: entry.attempts + 1 < Self.maximumAttempts || age < Self.lifetime
            case .local: true
            }
        guard isWorthIt else { return false }
        entry.attempts += failure == .local ? 0 : 1
        entries[result] = entry
        let delay = retry.delay(attempts: failure == .local ? 4 : entry.attempts, using: &generator)
        waiting.insert(
            Waiting(readyAt: now.uptime + delay, ready: Ready(createdAt: entry.download.createdAt, result: result))
        )
        return true
    }

    package func nextReady() -> Duration? {
        active.count < concurrency ? waiting.min?.readyAt : nil
    }
}
