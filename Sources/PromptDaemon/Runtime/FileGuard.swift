import Concurrency
import PromptQueue
import ServiceLifecycle

/// Ends the daemon when the files of its ledger are not there any more: what it records after that nobody would find, and
/// whoever starts it again on another file would pay for the same jobs again.
struct FileGuard: Service {
    static let interval: Duration = .seconds(2)

    let ledger: any LedgerUpkeep
    let time: any TimeSource

    func run() async throws {
        try await untilShutdown {
            while !Task.isCancelled {
                try await time.sleep(until: time.now.uptime + Self.interval)
                guard let loss = ledger.loss else { continue }
                throw LedgerError(
                    .unusable,
                    "\(loss) while promptd ran; submitting has stopped. Put the right file back, with its -wal, before the "
                        + "next start: a new or an older one does not know what was sent, and pays for it again. "
                        + "The tasks that were under way are in the log"
                )
            }
        }
    }
}
