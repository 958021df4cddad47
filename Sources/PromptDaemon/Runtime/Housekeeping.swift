import Concurrency
import Logging
import PromptQueue
import ServiceLifecycle

/// Says that the daemon is alive, and keeps the write-ahead log short.
struct Housekeeping: Service {
    let ledger: any JobLedger & LedgerUpkeep
    let notifier: SystemdNotifier
    let time: any TimeSource
    let logger: Logger

    func run() async throws {
        try await untilShutdown {
            while !Task.isCancelled {
                try await time.sleep(until: time.now.uptime + .seconds(10))
                notifier.send("WATCHDOG=1")
                do {
                    try await ledger.beat(now: time.now.instant)
                    try await ledger.maintain()
                } catch let error as LedgerError where error.isTransient {
                    logger.warning("the heartbeat could not be written: \(error)")
                }
            }
        }
    }
}
