import Concurrency
import Logging
import MediaStore
import PromptConfiguration
import PromptQueue
import ServiceLifecycle

/// Removes finished jobs when their time is over, and their files where that is wanted, and old events; gives unused space of
/// the database back while nothing else happens.
struct RetentionKeeper: Service {
    let ledger: any PruneStore & EventStore & LedgerUpkeep
    let media: MediaDirectory
    /// Asked each time, because a reload may change it.
    let rule: @Sendable () -> (jobs: Retention, files: FileRetention)
    let clock: ClockCheck
    let time: any TimeSource
    let logger: Logger

    private static let interval: Duration = .seconds(600)
    /// Between two steps, so that whatever waits for the database comes in between.
    private static let pause: Duration = .milliseconds(100)
    private static let jobsAtOnce = 200
    private static let filesAtOnce = 200
    private static let eventAge: Duration = .seconds(30 * 86_400)
    private static let mostEvents: Int64 = 1_000_000
    private static let eventsAtOnce = 2_000
    private static let mostKept = 1_000
    /// 1 MiB of the usual pages.
    private static let pagesAtOnce = 256
    private static let shrinkSteps = 200

    func run() async throws {
        try await untilShutdown {
            // Not while a start has more important things to do.
            try await time.sleep(until: time.now.uptime + .seconds(5))
            while !Task.isCancelled {
                do {
                    try await keep()
                } catch let error as LedgerError where error.code != .cancelled {
                    // Care can wait; it never ends the work.
                    logger.warning("finished jobs could not be removed now", metadata: ["reason": "\(error)"])
                }
                try await time.sleep(until: time.now.uptime + Self.interval)
            }
        }
    }

    /// Once.
    func keep() async throws {
        try await prune()
        try await removeFiles()
        try await removeEvents()
        try await shrink()
    }

    private func prune() async throws {
        let (jobs, files) = rule()
        guard case .after(let age) = jobs else { return }
        var filter = JobFilter()
        filter.finishedBefore = time.now.instant - age
        // The provider is asked for its time only where something hangs on it.
        guard try await ledger.hasPrunable(filter), let now = await clock.believedInstant() else { return }
        filter.finishedBefore = now - age
        var request = PruneRequest(filter, limit: Self.jobsAtOnce, removesFiles: files == .remove)
        var sum = Pruned()
        while true {
            let pruned = try await ledger.prune(request, now: time.now.instant)
            sum += pruned
            guard pruned.isFull(Self.jobsAtOnce), sum.kept.count < Self.mostKept else { break }
            request.excluded = Set(sum.kept.keys)
            try await time.sleep(until: time.now.uptime + Self.pause)
        }
        if let (job, reason) = sum.kept.min(by: { $0.key.rawValue < $1.key.rawValue }) {
            logger.warning(
                "finished jobs are kept by a rule of the database",
                metadata: ["job.id": "\(job)", "jobs": "\(sum.kept.count)", "reason": "\(reason)"]
            )
        }
        guard sum.jobs > 0 else { return }
        logger.info(
            "finished jobs have been removed from the database",
            metadata: [
                "jobs": "\(sum.jobs)", "older_than": "\(age.text)", "files": "\(sum.files)",
                "files_are": files == .remove ? "removed" : "kept",
            ]
        )
    }

    /// What a crash, or a directory that could not be written, has left goes at the next try.
    private func removeFiles() async throws {
        var last = ""
        while true {
            let removals = try await ledger.removals(after: last, limit: Self.filesAtOnce)
            guard let end = removals.last else { return }
            last = end.path
            let (gone, failure) = media.remove(removals)
            try await ledger.removed(gone)
            if let failure {
                logger.warning(
                    "files of removed jobs could not be deleted; it is tried again",
                    metadata: ["reason": "\(failure)"]
                )
            }
            try await time.sleep(until: time.now.uptime + Self.pause)
        }
    }

    /// Whoever reads events and comes later than that can see that some are gone.
    private func removeEvents() async throws {
        var before: Instant?
        if let oldest = try await ledger.oldestEvent(), time.now.instant - oldest > Self.eventAge {
            before = await clock.believedInstant().map { $0 - Self.eventAge }
        }
        while try await ledger.removeEvents(before: before, keeping: Self.mostEvents, limit: Self.eventsAtOnce) > 0 {
            try await time.sleep(until: time.now.uptime + Self.pause)
        }
    }

    private func shrink() async throws {
        for _ in 0..<Self.shrinkSteps {
            let commits = ledger.transactions
            try await time.sleep(until: time.now.uptime + Self.pause)
            guard ledger.transactions == commits else { return }
            guard try await ledger.shrink(pages: Self.pagesAtOnce) == Self.pagesAtOnce else { return }
        }
    }
}
