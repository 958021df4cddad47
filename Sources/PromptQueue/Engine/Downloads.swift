/// Results on their way to files, and whether anybody still waits for them.
struct Downloads: Sendable {
    private static let lookPause: Duration = .seconds(1)

    private var queue: DownloadQueue
    /// Whether somebody else has written to the ledger since the last look at who waits.
    private var isLookDue = false
    private var isLooking = false
    /// Looks are this far apart at least, however much others write.
    private var noLookBefore: Duration = .zero
    /// Results that were taken up again while a look was under way: what it says of them is old.
    private var takenUp: Set<ResultID> = []

    init(concurrency: Int) { queue = DownloadQueue(concurrency: concurrency) }

    var activeCount: Int { queue.activeCount }
    /// All that are not finished, in order.
    var results: [ResultID] { queue.results }
    /// Whether any waits because this machine could not store it.
    var isHeldByDisk: Bool { queue.isHeldByDisk }

    // MARK: - What is to be fetched

    /// A task's results are in the ledger.
    mutating func add(_ download: PendingDownload, at uptime: Duration) { queue.add(download, at: uptime) }

    /// A result of an earlier process, or one that somebody wants again.
    mutating func takeUp(_ download: PendingDownload, at uptime: Duration) {
        if isLooking { takenUp.insert(download.result) }
        queue.add(download, at: uptime)
    }

    mutating func takeReady(at uptime: Duration) -> [PendingDownload] { queue.takeReady(at: uptime) }

    func nextReady(after uptime: Duration) -> Duration? { queue.nextReady(after: uptime) }

    /// Nil of a result that is not among these any more.
    func origin(of result: ResultID) -> JobOrigin? { queue.origin(of: result) }

    /// - Returns: whether it is tried again.
    mutating func failed(
        _ result: ResultID,
        _ failure: DownloadFailure,
        now: Moment,
        using generator: inout some RandomNumberGenerator
    ) -> Bool {
        queue.retry(result, after: failure, now: now, using: &generator)
    }

    /// Notes why a result is not there yet.
    ///
    /// - Returns: whether it is the first reason, and whether it is another one than before.
    mutating func note(_ reason: String, of result: ResultID) -> (isFirst: Bool, isNews: Bool) {
        queue.note(reason, of: result)
    }

    /// What became of it is in the ledger.
    mutating func finish(_ result: ResultID) { queue.finish(result) }

    /// A file was saved that nobody waits for. Until the file is gone it keeps its place: a new download of it would write
    /// the same file.
    mutating func wasUnwanted(_ result: ResultID) {
        if !queue.isAskedForAgain(result) { queue.drop(result) }
    }

    /// The file that nobody waits for is removed.
    mutating func discarded(_ result: ResultID) { queue.leave(result) }

    /// The ledger refused what became of it: it is left alone.
    mutating func setAside(_ result: ResultID) {
        queue.drop(result)
        // Nothing of it is under way any more.
        queue.leave(result)
    }

    // MARK: - What nobody waits for any more

    /// Somebody else has written to the ledger.
    mutating func noteLedgerNews() { isLookDue = true }

    /// The results to ask the ledger about now, if any.
    mutating func takeLook(at uptime: Duration) -> [ResultID] {
        if queue.isEmpty { isLookDue = false }
        guard let due = nextLook, due <= uptime else { return [] }
        isLookDue = false
        isLooking = true
        takenUp = []
        noLookBefore = uptime + Self.lookPause
        return queue.results
    }

    /// When to look; nil while a look is under way, or if nothing asks for one.
    var nextLook: Duration? { isLookDue && !isLooking ? noLookBefore : nil }

    /// - Parameter unwanted: nil if the ledger could not be read.
    /// - Returns: those that are not fetched any more.
    mutating func looked(_ unwanted: [ResultID]?) -> [ResultID] {
        isLooking = false
        defer { takenUp = [] }
        guard let unwanted else {
            isLookDue = true
            return []
        }
        let dropped = unwanted.filter { !takenUp.contains($0) }
        for result in dropped { queue.drop(result) }
        return dropped
    }
}
