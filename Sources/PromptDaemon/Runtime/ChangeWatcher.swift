import Concurrency
import Logging
import PromptQueue
import ServiceLifecycle
import Synchronization

/// Notices what others commit to the ledger, within milliseconds, and costs nothing while nobody does.
struct ChangeWatcher: Service {
    let ledger: any JobLedger & LedgerUpkeep
    let runners: Runners
    let time: any TimeSource
    let logger: Logger
    /// Commits of others that the runners have not been told of.
    private let unseen = Flag()

    init(ledger: any JobLedger & LedgerUpkeep, runners: Runners, time: any TimeSource, logger: Logger) {
        self.ledger = ledger
        self.runners = runners
        self.time = time
        self.logger = logger
    }

    func run() async throws {
        let news = ledger.news()
        let files = news == nil ? ledger.watchedFiles.map(FilePathParts.split) : []
        var changes: AsyncStream<Void>?
        do {
            changes = try files.first.map {
                try DirectoryWatch(directory: $0.directory, names: Set(files.map(\.name))).changes
            }
        } catch {
            logger.warning(
                "new jobs are noticed within seconds only, because the kernel grants no watch",
                metadata: ["reason": "\(error)"]
            )
        }
        let pause: Duration = changes == nil && news == nil ? .seconds(1) : .seconds(5)
        _ = try await ledger.hasForeignChanges()
        try await untilShutdown { [changes] in
            try await withThrowingDiscardingTaskGroup { group in
                if let changes { group.addTask { try await watch(changes) } }
                if let news { group.addTask { try await take(news) } }
                group.addTask {
                    // In case a notice is ever lost.
                    while !Task.isCancelled {
                        try await time.sleep(until: time.now.uptime + pause)
                        try await look()
                        // A change that was noticed while the database was locked.
                        do throws(LedgerError) {
                            try await runners.takeResumed()
                        } catch {
                            guard error.isTransient else { throw error }
                        }
                    }
                }
            }
        }
    }

    /// Takes in what a shared store tells. One look serves all that is told while it is under way.
    private func take(_ news: AsyncStream<LedgerNews>) async throws {
        let (looks, looker) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { for await _ in looks { try await look() } }
            for await one in news {
                switch one {
                case .changed: looker.yield()
                case .hinted(let target):
                    runners.hinted(target.account, target.attempt, candidate: target.candidate(named: target.hinted))
                case .members(let count): runners.membersChanged(count)
                }
            }
            looker.finish()
        }
    }

    /// Looks after each write, as `CheckSchedule` says: one sequence of looks at a time, which writes prolong.
    private func watch(_ changes: AsyncStream<Void>) async throws {
        // Both a write and the timer wake the loop; what has happened is kept beside, so that no element counts.
        let (wakes, waker) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let timer = OneShotTimer(time: time) { waker.yield() }
        defer { timer.cancel() }
        let hasWrite = Flag()
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                for await _ in changes {
                    hasWrite.raise()
                    waker.yield()
                }
                waker.finish()
            }
            var plan = CheckSchedule()
            var own = ledger.transactions
            var armed: Duration?
            for await _ in wakes {
                if hasWrite.lower() {
                    // Our own commits are written to the same file.
                    let transactions = ledger.transactions
                    plan.written(at: time.now.uptime, isOwn: transactions != own)
                    own = transactions
                }
                if plan.isDue(at: time.now.uptime) {
                    try await look()
                    plan.looked(at: time.now.uptime)
                }
                if let next = plan.next, next != armed { timer.set(next) }
                armed = plan.next
            }
        }
    }

    /// Tells the runners if somebody has committed. If the ledger cannot be read just now, the next look does.
    private func look() async throws {
        do throws(LedgerError) {
            if try await ledger.hasForeignChanges() { unseen.raise() }
            guard unseen.lower() else { return }
            try await runners.ledgerChanged()
        } catch {
            unseen.raise()
            guard error.isTransient else { throw error }
        }
    }
}

/// Something that happened and that somebody has yet to see.
private final class Flag: Sendable {
    private let value = Atomic(false)

    func raise() { value.store(true, ordering: .releasing) }

    /// - Returns: whether it was raised.
    func lower() -> Bool { value.exchange(false, ordering: .acquiringAndReleasing) }
}
