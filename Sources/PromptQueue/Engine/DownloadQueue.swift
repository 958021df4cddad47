import HeapModule

/// Which result to fetch next: the one whose URL has lived longest, a bounded number at a time.
package struct DownloadQueue: Sendable {
    private struct Waiting: Comparable {
        var readyAt: Duration
        var createdAt: Instant
        var result: ResultID

        static func < (left: Waiting, right: Waiting) -> Bool {
            (left.readyAt, left.createdAt, left.result.job, left.result.ordinal)
                < (right.readyAt, right.createdAt, right.result.job, right.result.ordinal)
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
    private var ready: Heap<Waiting> = []
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
        ready.insert(Waiting(readyAt: .zero, createdAt: download.createdAt, result: download.result))
    }

    package mutating func takeReady(at uptime: Duration) -> [PendingDownload] {
        var taken: [PendingDownload] = []
        while active.count < concurrency, let next = ready.min, next.readyAt <= uptime {
            ready.removeMin()
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
        ready.insert(
            Waiting(readyAt: now.uptime + delay, createdAt: entry.download.createdAt, result: result)
        )
        return true
    }

    package func nextReady() -> Duration? {
        active.count < concurrency ? ready.min?.readyAt : nil
    }
}
