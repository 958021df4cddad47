import PromptQueue
import Synchronization
import Testing

@testable import PromptDaemon

@Suite struct DownloadTasksTests {
    @Test func `one download is cut off by itself, and nothing of it stays`() async throws {
        let fetcher = HangingFetcher()
        let fetches = DownloadTasks(fetcher)
        let (first, second) = (Self.download(1), Self.download(2))
        let stops = (fetches.begin(first), fetches.begin(second))
        await withTaskGroup(of: DownloadOutcome.self) { group in
            group.addTask { await fetches.run(first, until: stops.0) }
            group.addTask { await fetches.run(second, until: stops.1) }
            fetches.cancel(first.result)
            #expect(await group.next() == .failed(.interrupted, message: "1-0"))
            #expect(fetcher.forgotten == [first.result])
            // The end of the grace: what is there stays, to be continued.
            group.cancelAll()
            #expect(await group.next() == .failed(.interrupted, message: "2-0"))
            #expect(fetcher.forgotten == [first.result])
        }
        fetches.cancel(second.result)
        #expect(fetcher.forgotten == [first.result, second.result], "at once, if it is not under way")
    }

    private static func download(_ job: Int64) -> PendingDownload {
        PendingDownload(
            result: ResultID(job: JobID(job), ordinal: 0),
            output: .file(url: "https://x"),
            origin: JobOrigin(queue: "ads"),
            createdAt: Instant(milliseconds: 0)
        )
    }
}

/// Never ends by itself.
private final class HangingFetcher: Fetcher {
    private let results = Mutex<[ResultID]>([])

    var forgotten: [ResultID] { results.withLock { $0 } }

    func fetch(_ download: PendingDownload) async -> DownloadOutcome {
        let never = AsyncStream<Void> { _ in }
        for await _ in never {}
        return .failed(.interrupted, message: "\(download.result)")
    }

    func forget(_ result: ResultID) { results.withLock { $0.append(result) } }
    func discard(_ file: SavedFile, of result: ResultID) async throws {}
}
