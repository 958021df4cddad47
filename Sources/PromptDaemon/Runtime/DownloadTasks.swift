import Concurrency
import PromptQueue
import Synchronization

/// The downloads under way, each of which can be cut off by itself.
final class DownloadTasks: Sendable {
    private let fetcher: any Fetcher
    private let stops = Mutex<[ResultID: Latch]>([:])

    init(_ fetcher: any Fetcher) {
        self.fetcher = fetcher
    }

    /// Notes that a download begins, so that it can be cut off from now on.
    ///
    /// - Returns: what `run` waits for beside the download.
    func begin(_ download: PendingDownload) -> Latch {
        let stop = Latch()
        stops.withLock { $0[download.result] = stop }
        return stop
    }

    func run(_ download: PendingDownload, until stop: Latch) async -> DownloadOutcome {
        let outcome = await withTaskGroup(of: DownloadOutcome?.self) { [fetcher] group in
            group.addTask { await fetcher.fetch(download) }
            group.addTask {
                _ = await stop.wait()
                return nil
            }
            var outcome: DownloadOutcome?
            for await next in group {
                // Whichever ends first ends the other; the download's outcome is waited for in any case.
                group.cancelAll()
                outcome = outcome ?? next
            }
            return outcome ?? .failed(.interrupted, message: "cut off")
        }
        let wasCutOff = stops.withLock { $0.removeValue(forKey: download.result) == nil }
        if wasCutOff, case .failed = outcome { fetcher.forget(download.result) }
        return outcome
    }

    /// Cuts a download off, and removes what is there of it, now or when it has ended.
    func cancel(_ result: ResultID) {
        if let stop = stops.withLock({ $0.removeValue(forKey: result) }) {
            stop.open()
        } else {
            fetcher.forget(result)
        }
    }

    /// Removes a file that nobody waits for.
    func discard(_ file: SavedFile, of result: ResultID) async throws {
        try await fetcher.discard(file, of: result)
    }
}
